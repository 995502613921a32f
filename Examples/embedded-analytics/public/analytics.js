// The function that the embedding script calls when it needs the user's token. `data-get-access-token` names it.

/** The time after which to ask again if the backend names none, in seconds. */
const DEFAULT_RETRY = 5;

let underWay;
let lastToken;

/** Gets the user's token. While none is available, the page says so, and this function waits and asks again. */
function getAccessToken() {
  // Several charts that need a token at once need the same one.
  underWay ??= requestToken().finally(() => (underWay = undefined));
  return underWay;
}

async function requestToken() {
  // The script keeps a token until it is refused. So if it asks again, the last one was.
  const headers = lastToken ? { 'x-refused-token': await fingerprint(lastToken) } : {};
  for (;;) {
    const response = await fetch('/access-token', { method: 'POST', headers }).catch(() => undefined);
    if (response?.ok) {
      lastToken = await response.text();
      document.getElementById('problem').hidden = true;
      return lastToken;
    }
    const reason = response ? await response.text() : 'the server does not answer';
    const isSignedOut = response?.status === 401;
    // Waiting fixes only status 503. After any other the page asks again at a click.
    const isTransient = !response || response.status === 503;
    const pause = isTransient ? Number(response?.headers.get('retry-after')) || DEFAULT_RETRY : undefined;
    showProblem(reason, isSignedOut, pause);
    if (isSignedOut) throw new Error(reason);
    await pauseOrClick(pause);
  }
}

async function fingerprint(token) {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function showProblem(reason, isSignedOut, pause) {
  const next = pause ? ` The next attempt is in ${pause} s.` : '';
  document.getElementById('reason').textContent = `The analytics can't be shown: ${reason}.${next}`;
  document.getElementById('again').hidden = isSignedOut;
  document.getElementById('login').hidden = !isSignedOut;
  document.getElementById('problem').hidden = false;
}

/** Waits for that time, if there is one, or for a click. */
function pauseOrClick(seconds) {
  return new Promise((resolve) => {
    const timer = seconds && setTimeout(resolve, seconds * 1_000);
    document.getElementById('again').onclick = () => {
      clearTimeout(timer);
      resolve();
    };
  });
}

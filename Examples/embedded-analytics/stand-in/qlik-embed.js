// A stand-in for the vendor's embedding script, for tests and for trying the example without a tenant. It handles
// tokens as the real one does: it calls the function that `data-get-access-token` names when it needs a token, keeps
// the token in memory, sends it with its requests to the tenant's API, and asks again after status 401. Its charts show
// invented data, and whose they are.

const script = document.querySelector('script[data-get-access-token]');
const { host, getAccessToken: functionName, authType } = script.dataset;
if (authType !== 'Oauth2') throw new Error(`there is no auth type ${authType} here`);

let token;

async function callAPI(path) {
  token ??= await window[functionName]();
  const response = await request(path);
  if (response.status !== 401) return response;
  token = await window[functionName]();
  return request(path);
}

function request(path) {
  return fetch(new URL(path, host), { headers: { authorization: `Bearer ${token}` } });
}

class QlikEmbed extends HTMLElement {
  connectedCallback() {
    this.attachShadow({ mode: 'open' });
    // As in the real script, a selection in a chart makes a request.
    this.addEventListener('click', () => this.load());
    this.load();
  }

  async load() {
    this.dataset.state = 'loading';
    try {
      const response = await callAPI('/api/v1/users/me');
      if (!response.ok) throw new Error(`the tenant answered ${response.status}`);
      this.draw(await response.json());
      this.dataset.state = 'ready';
    } catch (error) {
      this.shadowRoot.textContent = error.message;
      this.dataset.state = 'failed';
    }
  }

  draw({ subject, assignedGroups }) {
    const groups = assignedGroups.map(({ name }) => name).join(', ');
    const heights = Array.from({ length: 4 }, (_, index) => 60 + ((subject.charCodeAt(6) * (index + 3) * 37) % 140));
    const bars = heights.map(
      (height, index) => `
        <rect x="${60 + index * 130}" y="${230 - height}" width="80" height="${height}" rx="4" fill="#0b6bcb"/>
        <text x="${100 + index * 130}" y="${220 - height}">${height} k</text>
        <text x="${100 + index * 130}" y="252">Q${index + 1}</text>`,
    );
    this.shadowRoot.innerHTML = `
      <style>text { font: 14px system-ui, "DejaVu Sans", sans-serif; text-anchor: middle; fill: #5b6875 }</style>
      <svg viewBox="0 0 600 285" width="100%">
        <line x1="30" y1="230" x2="570" y2="230" stroke="#dde3e9"/>${bars.join('')}
        <text x="300" y="280" id="subject"></text>
      </svg>`;
    this.shadowRoot.getElementById('subject').textContent = `as seen by ${subject} in ${groups}`;
  }
}

customElements.define('qlik-embed', QlikEmbed);

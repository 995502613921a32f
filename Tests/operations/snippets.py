"""The examples of the documentation in JavaScript and Python, each run as a program of its own against the daemon.

An example is the middle of a program: what a page leaves out, such as `app`, is a stand-in around it. If it answers
pages at `/access-token`, the program then asks it for a token as a page does.
"""

import re
import subprocess
import textwrap

TENANT = "https://your-tenant.eu.qlikcloud.com"
USER = {"subject": "auth0|alice", "name": "Alice", "email": "alice@example.com", "groups": ["portal-emea"]}
SESSION = {"subject": "auth0|alice", "userId": "63059a8f5b2f3d0012c7a4e1", "user": USER}

JAVASCRIPT = """
const { createServer } = require('node:http');
const routes = {};
const app = { post: (path, handler) => (routes[path] = handler) };
(async () => {
%(cache)s
%(code)s
if (!routes['/access-token']) return;
const server = createServer((request, response) => {
  request.session = %(session)s;
  routes[request.url](request, response);
});
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const page = await fetch(`http://127.0.0.1:${server.address().port}/access-token`, { method: 'POST' });
const text = await page.text();
server.close();
server.closeAllConnections();
if (page.status !== 200 || !text.startsWith('eyJ')) throw new Error(`${page.status}: ${text}`);
})().then(() => process.exit(0), (error) => { console.error(error); process.exit(1); });
"""

QLIK_API = """
let registered;
exports.auth = { registerAuthModule: (name, module) => (registered = module) };
exports.items = {
  getItems: async (query, { hostConfig }) => ({ data: await registered.getRestCallAuthParams({ hostConfig }) }),
};
"""
"""A stand-in for the vendor's client, which asks the registered module for what a call needs."""

PYTHON = """
import ast, asyncio, inspect
from tokencached import AsyncTokenCache, TokenCache, User

class Request:
    method, headers = "POST", {}

class Response:
    def __init__(self, content, status=200, headers=None):
        self.content, self.status, self.headers = content, status, headers

class App:
    def post(self, path):
        return lambda view: view

async def main():
    code = %(code)r
    cache = TokenCache()
    functions = AsyncTokenCache() if "await answer" in code else cache
    names = {
        "cache": cache, "app": App(), "request": Request(), "session": %(session)r, "Request": Request,
        "Response": Response, "HttpResponse": Response, "require_POST": lambda view: view,
        "answer": functions.access_token_handler(lambda request: "auth0|alice"),
    }
    result = eval(compile(code, "example", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
    if inspect.isawaitable(result):
        await result
    if "access_token" in names:
        view = names["access_token"]
        answer = view(*[Request()] * len(inspect.signature(view).parameters))
        if inspect.isawaitable(answer):
            answer = await answer
        body, status = (answer.content, answer.status) if isinstance(answer, Response) else answer[:2]
        assert status == 200 and body.startswith("eyJ"), (status, body)

asyncio.run(main())
"""


def javascript(code):
    """Returns the example as a CommonJS program."""
    imports = re.compile(r"^import (\{.*\}) from ('.*');$", re.MULTILINE)
    code = imports.sub(r"const \1 = require(\2);", code)
    own = [] if "{ TokenCache }" in code else ["const { TokenCache } = require('tokencached');"]
    if "new TokenCache" not in code:
        own.append(f"const cache = new TokenCache({{ origin: '{TENANT}' }});")
    return JAVASCRIPT % {"cache": "\n".join(own), "code": code, "session": repr(SESSION)}


def python(code):
    """Returns the example as a program."""
    return textwrap.dedent(PYTHON) % {"code": code, "session": SESSION}


def run(block, stage, root, interpreter, timeout):
    """Runs an example of one of the languages, and returns what is wrong, or None."""
    environment = {"TOKENCACHED_SOCKET": str(stage.socket), "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}
    if block.language == "js":
        modules = stage.directory / "node_modules"
        if not modules.exists():
            (modules / "@qlik/api").mkdir(parents=True)
            (modules / "@qlik/api/index.js").write_text(QLIK_API)
            (modules / "tokencached").symlink_to(root / "Clients/node")
        program, text, command = "example.cjs", javascript(block.text), ["node", "--preserve-symlinks"]
    else:
        environment["PYTHONPATH"] = str(root / "Clients/python/src")
        program, text, command = "example.py", python(block.text), [interpreter]
    (stage.directory / program).write_text(text.replace(TENANT, stage.tenants["main"].url))
    process = subprocess.run(
        [*command, stage.directory / program],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )
    return process.stdout if process.returncode != 0 else None

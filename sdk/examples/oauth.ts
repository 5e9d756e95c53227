/**
 * An app that signs its users in at another provider. It serves one page, which begins the sign-in, is come back to, and shows who that is:
 * `node examples/oauth.ts http://localhost:3000 google 5173`
 */
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const [baseUrl = 'http://localhost:3000', provider = 'google', port = '5173'] = process.argv.slice(2)

const page = `<!doctype html>
<title>Who am I?</title>
<p id="user">Nobody is signed in.</p>
<button hidden>Sign in</button>
<script type="importmap">{ "imports": { "@parley/sdk": "/sdk/index.js" } }</script>
<script type="module">
  import { createOAuthRequest, Parley } from '@parley/sdk'

  const baseUrl = ${JSON.stringify(baseUrl)}
  const api = new Parley({ baseUrl })
  const parameters = new URLSearchParams(location.search)
  // The code has no business in the history.
  history.replaceState(null, '', '/')
  if (parameters.has('code')) await finish(parameters.get('code'))
  if (parameters.has('error')) show('It did not work: ' + parameters.get('error'))

  const button = document.querySelector('button')
  button.onclick = begin
  button.hidden = false

  async function begin() {
    const { url, codeVerifier } = await createOAuthRequest({ baseUrl, provider: ${JSON.stringify(provider)}, redirectUri: location.origin + '/' })
    sessionStorage.setItem('codeVerifier', codeVerifier)
    location.assign(url)
  }

  async function finish(code) {
    await api.auth.exchangeOAuth({ code, codeVerifier: sessionStorage.getItem('codeVerifier') })
    const { email, displayName } = await api.auth.me()
    show(displayName + ' <' + email + '> is signed in.')
  }

  function show(text) {
    document.querySelector('#user').textContent = text
  }
</script>`

const server = createServer(async ({ url = '/' }, response) => {
  const [, script] = /^\/sdk\/([\w-]+\.js)$/.exec(url) ?? []
  if (script === undefined) return void response.setHeader('content-type', 'text/html; charset=utf-8').end(page)
  const text = await readFile(new URL(script, import.meta.resolve('@parley/sdk'))).catch(() => undefined)
  response.writeHead(text === undefined ? 404 : 200, { 'content-type': 'text/javascript' }).end(text)
})
server.listen(Number(port), '127.0.0.1', () => console.log(`http://localhost:${(server.address() as AddressInfo).port}/`))

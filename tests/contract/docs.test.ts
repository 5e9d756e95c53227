import type { Page } from 'playwright-core'
import t from 'tap'
import { allOperations } from '../../openapi/document.ts'
import { launchBrowser } from '../helpers/browser.ts'
import { startServer } from '../helpers/server.ts'

t.test('the pages at /docs work in a browser', async (t) => {
  const server = await startServer(t)
  const { accessToken, email } = await server.signUp()
  const browser = await launchBrowser()
  t.teardown(() => browser.close())
  const page = await browser.newPage()
  const complaints = listenForComplaints(page)

  await t.test('they show every operation, and neither the console nor the Content-Security-Policy complains', async (t) => {
    const response = await page.goto(`${server.url}/docs`)
    t.match(response?.headers()['content-security-policy'], /script-src 'self';/, 'nothing inline may run')
    await page.getByText('Get the signed-in user').waitFor()
    const shown = await page.locator('.opblock-summary-operation-id').allTextContents()
    t.same(shown.map((id) => id.replace(/\u200b/g, '')).toSorted(), allOperations.map(({ operationId }) => operationId).toSorted())
    t.same(complaints, [])
  })

  await t.test('"Authorize" and "Try it out" call this server', async (t) => {
    await page.locator('.scheme-container').getByRole('button', { name: 'Authorize' }).click()
    const dialog = page.locator('.dialog-ux')
    const scheme = dialog.locator('.auth-container', { hasText: 'bearer' }).first()
    await scheme.getByRole('textbox').fill(accessToken)
    await scheme.locator('button[type=submit]').click()
    await dialog.locator('.btn-done').first().click()

    t.same(await executeMe(page), { status: '200', email })
    t.same(complaints, [])
  })

  await t.test('a link leads to an operation, and the token is still there when the page is loaded anew', async (t) => {
    await page.goto(`${server.url}/docs/#/auth/auth.me`)
    await page.getByRole('button', { name: 'Execute' }).waitFor()
    t.same(await executeMe(page), { status: '200', email })
    t.same(complaints, [])
  })

  await t.test('their links lead to the documents', async (t) => {
    for (const path of ['/openapi.json', '/asyncapi.json', '/docs/postman.json']) {
      const href = await page.locator(`.info a[href="${path}"]`).getAttribute('href')
      const answer = await server.request('GET', href ?? '')
      t.equal(answer.status, 200, path)
      t.match(answer.headers.get('content-type'), /^application\/json/, path)
    }
  })
})

t.test('the documents name the public address of the server', async (t) => {
  const server = await startServer(t, { env: { PUBLIC_URL: 'https://chat.example.com/parley/' } })
  const document = async (path: string) => (await server.request('GET', path)).json
  t.match(await document('/openapi.json'), { openapi: '3.1.0', servers: [{ url: 'https://chat.example.com/parley' }] })
  t.match(await document('/docs/json'), { servers: [{ url: '/parley' }] })
  t.match(await document('/asyncapi.json'), { asyncapi: '3.0.0', servers: { parley: { host: 'chat.example.com', pathname: '/parley', protocol: 'wss' } } })
  t.match((await document('/docs/postman.json')).variable[0], { key: 'baseUrl', value: 'https://chat.example.com/parley' })
})

t.test('without one, they name the port that the server listens on, also when it took any', async (t) => {
  const server = await startServer(t)
  const host = `localhost:${new URL(server.url).port}`
  const document = async (path: string) => (await server.request('GET', path)).json
  t.match(await document('/openapi.json'), { servers: [{ url: `http://${host}` }] })
  t.match(await document('/asyncapi.json'), { servers: { parley: { host } } })
  t.match((await document('/docs/postman.json')).variable[0], { key: 'baseUrl', value: `http://${host}` })
})

function listenForComplaints(page: Page): string[] {
  const complaints: string[] = []
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('requestfailed', (request) => complaints.push(`${request.url()} ${request.failure()?.errorText}`))
  page.on('response', (response) => {
    if (response.status() >= 400) complaints.push(`${response.url()} ${response.status()}`)
  })
  return complaints
}

async function executeMe(page: Page): Promise<{ status: string | undefined; email: string }> {
  const operation = page.locator('.opblock').filter({ hasText: 'Get the signed-in user' })
  if (!(await operation.getByRole('button', { name: 'Execute' }).isVisible())) await operation.locator('.opblock-summary-control').click()
  await operation.getByRole('button', { name: 'Execute' }).click()
  const answer = operation.locator('.live-responses-table')
  const status = await answer.locator('.response-col_status').last().textContent()
  const body: { email: string } = JSON.parse((await answer.locator('.highlight-code code').first().textContent()) ?? '')
  return { status: status?.match(/\d+/)?.[0], email: body.email }
}

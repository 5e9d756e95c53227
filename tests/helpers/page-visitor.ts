/** What a browser does without showing anything: cookies by host and path, redirects, and the forms of the provider's pages. */
interface Cookie {
  host: string
  name: string
  value: string
  path: string
}

export type PageVisitor = ReturnType<typeof createPageVisitor>

export function createPageVisitor() {
  let cookies: Cookie[] = []

  const keep = (host: string, header: string): void => {
    const [pair = '', ...attributes] = header.split(/; */)
    const [name = '', value = ''] = pair.split('=')
    const attribute = (wanted: string) => attributes.find((one) => one.toLowerCase().startsWith(`${wanted}=`))?.slice(wanted.length + 1)
    const path = attribute('path') ?? '/'
    cookies = cookies.filter((one) => one.host !== host || one.name !== name || one.path !== path)
    const isGone = attribute('max-age') === '0' || Date.parse(attribute('expires') ?? '') < Date.now()
    if (!isGone) cookies.push({ host, name, value, path })
  }

  /** One request, as it is answered. */
  const request = async (url: URL, form?: URLSearchParams): Promise<Response> => {
    const cookie = cookies.filter(({ host, path }) => host === url.hostname && url.pathname.startsWith(path)).map(({ name, value }) => `${name}=${value}`)
    const headers = { ...(cookie.length > 0 && { cookie: cookie.join('; ') }) }
    const response = await fetch(url, { redirect: 'manual', headers, ...(form && { method: 'POST', body: form }) })
    for (const header of response.headers.getSetCookie()) keep(url.hostname, header)
    return response
  }

  return {
    request: (url: string) => request(new URL(url)),
    cookies: () => cookies,

    /** Follows redirects, and fills in the forms that come up, until one leads to where `stopAt` begins. @returns that address, which is not visited */
    async goUntil(stopAt: string, from: string, fields: Record<string, string> = {}): Promise<URL> {
      let url = new URL(from)
      let form: URLSearchParams | undefined
      for (;;) {
        const response: Response = await request(url, form)
        const location = response.headers.get('location')
        const text = await response.text()
        if (location !== null) {
          url = new URL(location, url)
          form = undefined
          if (url.href.startsWith(stopAt)) return url
          continue
        }
        const action = /<form[^>]* action="([^"]+)"/.exec(text)?.[1]
        if (action === undefined || response.status !== 200) throw new Error(`${url} answered ${response.status}: ${text.slice(0, 500)}`)
        url = new URL(action, url)
        form = new URLSearchParams()
        for (const [, name = '', value] of text.matchAll(/<input [^>]*name="([^"]+)"(?: value="([^"]*)")?/g)) form.set(name, value ?? fields[name] ?? '-')
      }
    },
  }
}

/** The auth operations over plain HTTP: these tests also send what the SDK would not. */
import type { Email } from 'postal-mime'
import type { RegisterResult, TokenPair } from '../../openapi/auth/schemas.ts'
import type { SessionId, UserId } from '../../openapi/shared/ids.ts'
import type { User } from '../../openapi/users/schemas.ts'

export const second = 1000
export const minute = 60 * second
export const day = 24 * 60 * minute

export const password = 'correct horse battery'

/** The real time, which can be put ahead. */
export function createTestClock() {
  let ahead = 0
  return {
    now: () => new Date(Date.now() + ahead),
    advance(milliseconds: number) {
      ahead += milliseconds
    },
  }
}

let names = 0
export const newEmail = () => `person${++names}@example.com`
export const newUsername = () => `Person.${++names}`

/** Waits for what happens by itself soon; the test's own time limit ends it. */
export async function eventually<T>(read: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const value = await read()
    if (value !== undefined) return value
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

export const repeat = <T>(times: number, act: () => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: times }, act))

/** Seconds that are left, less what a busy machine takes to say so. */
export const isAbout = (left: number, expected: number): boolean => left <= expected && left > expected - 5

interface Answer<Body> {
  status: number
  body: Body
  /** The code of the error, if it is one. */
  error: string | undefined
}

interface Parts {
  body?: unknown
  token?: string | undefined
}

export function createAuthClient({ url, mails }: { url: string; mails(): Promise<Email[]> }) {
  async function send<Body = unknown>(method: string, path: string, { body, token }: Parts = {}): Promise<Answer<Body>> {
    const headers = { ...(body !== undefined && { 'content-type': 'application/json' }), ...(token !== undefined && { authorization: `Bearer ${token}` }) }
    const response = await fetch(`${url}/v1/auth/${path}`, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) })
    const text = await response.text()
    const parsed = text === '' ? undefined : JSON.parse(text)
    return { status: response.status, body: parsed, error: response.ok ? undefined : parsed.error.code }
  }
  const register = (body: object) => send<RegisterResult>('POST', 'register', { body })
  const verifyEmail = (email: string, code: string) => send<TokenPair>('POST', 'verify-email', { body: { email, code } })

  const mailsTo = async (email: string): Promise<Email[]> => (await mails()).filter((mail) => mail.to?.[0]?.address === email)
  /** The code in the nth mail to this address. */
  const codeFor = (email: string, nth = 1): Promise<string> => eventually(async () => codeIn((await mailsTo(email))[nth - 1]))

  async function registered(fields: { password?: string; username?: string } = { password }) {
    const email = newEmail()
    await register({ email, ...fields })
    return { email, code: await codeFor(email) }
  }

  return {
    send,
    register,
    requestCode: (email: string) => send('POST', 'code', { body: { email } }),
    verifyEmail,
    login: (identifier: string, secret = password) => send<TokenPair>('POST', 'login', { body: { identifier, password: secret } }),
    refresh: (refreshToken: string) => send<TokenPair>('POST', 'refresh', { body: { refreshToken } }),
    logout: (token: string) => send('POST', 'logout', { token }),
    me: (token?: string) => send<User>('GET', 'me', { token }),
    mailsTo,
    codeFor,
    registered,

    async signedIn(fields?: { password?: string; username?: string }) {
      const { email, code } = await registered(fields)
      const { body } = await verifyEmail(email, code)
      return { email, ...body }
    },
  }
}

export const codeIn = (mail: Email | undefined): string | undefined => /^([0-9]{6})$/m.exec(mail?.text ?? '')?.[1]

export interface Claims {
  sub: UserId
  sid: SessionId
  exp: number
  [claim: string]: unknown
}

export const decode = (token: string): Claims => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())

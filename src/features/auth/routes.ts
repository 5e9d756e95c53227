import type * as operations from '../../../openapi/auth/operations.ts'
import type { Handlers } from '../../http/bind-operations.ts'
import type { SessionCookie } from '../../http/session-cookie.ts'
import { serializeUser } from '../users/serialize.ts'
import { serializeTokenPair } from './serialize.ts'
import type { AuthService } from './service.ts'

export const authRoutes = ({ auth, cookie }: { auth: AuthService; cookie: SessionCookie }): Handlers<typeof operations> => ({
  'auth.register': async ({ body, caller }) => ({ user: serializeUser(await auth.register(body, caller)) }),
  'auth.requestCode': ({ body, caller }) => auth.requestCode(body.email, caller),
  'auth.verifyEmail': async ({ body, caller }) => serializeTokenPair(await auth.verifyEmail(body.email, body.code, caller)),
  'auth.login': async ({ body, caller }) => serializeTokenPair(await auth.login(body.identifier, body.password, caller)),
  'auth.refresh': async ({ body, caller }) => serializeTokenPair(await auth.refresh(body.refreshToken, caller)),
  'auth.logout': async ({ actor, request, reply }) => {
    await auth.logout(actor)
    cookie.clear(request, reply)
  },
  'auth.me': async ({ actor }) => serializeUser(await auth.me(actor)),
})

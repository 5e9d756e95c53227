import type * as operations from '../../../openapi/auth/operations.ts'
import type { Handlers } from '../../http/bind-operations.ts'
import { serializeUser } from '../users/serialize.ts'
import { serializeTokenPair } from './serialize.ts'
import type { AuthService } from './service.ts'

export const authRoutes = ({ auth }: { auth: AuthService }): Handlers<typeof operations> => ({
  'auth.register': async ({ body }) => ({ user: serializeUser(await auth.register(body)) }),
  'auth.requestCode': ({ body }) => auth.requestCode(body.email),
  'auth.verifyEmail': async ({ body, caller }) => serializeTokenPair(await auth.verifyEmail(body.email, body.code, caller)),
  'auth.login': async ({ body, caller }) => serializeTokenPair(await auth.login(body.identifier, body.password, caller)),
  'auth.refresh': async ({ body }) => serializeTokenPair(await auth.refresh(body.refreshToken)),
  'auth.logout': ({ actor }) => auth.logout(actor),
  'auth.me': async ({ actor }) => serializeUser(await auth.me(actor)),
})

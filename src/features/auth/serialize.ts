import type { TokenPair } from '../../../openapi/auth/schemas.ts'
import { serializeUser } from '../users/serialize.ts'
import type { SignedIn } from './sign-in.ts'

export const serializeTokenPair = ({ user, ...tokens }: SignedIn): TokenPair => ({ ...tokens, tokenType: 'Bearer', user: serializeUser(user) })

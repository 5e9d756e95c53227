import { type Static, Type } from '@sinclair/typebox'
import { component, described, ref } from '../contract.ts'
import { User } from '../users/schemas.ts'

export const UserExport = component(
  'UserExport',
  Type.Object(
    {
      exportedAt: Type.String({ format: 'date-time', description: 'When: ISO 8601, UTC, milliseconds' }),
      user: described(ref(User), 'Your profile'),
      sections: Type.Record(Type.String(), Type.Array(Type.Record(Type.String(), Type.Unknown())), {
        description:
          'All else that is held about you, by name: `sessions`, `apiKeys`, `oauthAccounts`, `devices`, `blockedUsers`, `securityEvents`, `auditLog`, `memberships`, `messages` …; secrets are left out',
      }),
    },
    { description: 'All that is held about you' },
  ),
)
export type UserExport = Static<typeof UserExport>

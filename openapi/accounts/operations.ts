import { defineOperation, ref } from '../contract.ts'
import { aliceExample } from '../users/examples.ts'
import { DeleteMeRequest, ScheduledDeletion } from '../users/schemas.ts'
import { UserExport } from './schemas.ts'

export const deleteMe = defineOperation({
  operationId: 'users.deleteMe',
  method: 'DELETE',
  path: '/v1/users/me',
  summary: 'Delete your own account',
  description:
    'In 30 days; all sessions and API keys end now, and signing in before that cancels it. Then profile, sessions, keys and files are erased; messages stay as those of a deleted user, or are erased too where the server is configured so. The last administrator cannot be deleted.',
  access: 'session',
  rateLimit: 'default',
  repeatable: true,
  body: ref(DeleteMeRequest),
  examples: { any: { confirmEmail: 'alice@example.com', reason: 'No longer needed' } },
  responses: {
    202: { description: 'The account is going to be erased', body: ref(ScheduledDeletion), example: { deletionAt: '2026-12-20T10:00:00.000Z' } },
  },
  errors: ['conflict'],
})

export const exportMe = defineOperation({
  operationId: 'users.exportMe',
  method: 'GET',
  path: '/v1/users/me/export',
  summary: 'Export all of your own data',
  description: 'One JSON document, streamed while it is read: it may be long. Secrets, and what others wrote, are not in it.',
  access: 'session',
  rateLimit: 'uploads',
  responses: {
    200: {
      description: 'All that is held about you',
      body: ref(UserExport),
      example: { exportedAt: '2026-11-20T10:00:00.000Z', user: aliceExample, sections: { sessions: [], messages: [] } },
    },
  },
  errors: [],
})

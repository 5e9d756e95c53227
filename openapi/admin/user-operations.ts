import { defineOperation, ref } from '../contract.ts'
import { UserParams } from '../shared/ids.ts'
import { aliceForAdmins } from '../users/examples.ts'
import { AdminUser, CreateUserRequest, DeleteUserRequest, ScheduledDeletion, UpdateUserRequest } from '../users/schemas.ts'

export const create = defineOperation({
  operationId: 'users.create',
  method: 'POST',
  path: '/v1/users',
  summary: 'Create a user',
  description: 'For administrators. The user is mailed a code to sign in with. It goes into the audit log.',
  access: 'admin',
  rateLimit: 'default',
  body: ref(CreateUserRequest),
  examples: { any: { email: 'bob@example.com', displayName: 'Bob', role: 'user' } },
  responses: { 201: { description: 'The new user', body: ref(AdminUser), example: aliceForAdmins } },
  errors: ['conflict'],
})

export const update = defineOperation({
  operationId: 'users.update',
  method: 'PATCH',
  path: '/v1/users/{userId}',
  summary: 'Change or suspend a user',
  description:
    'For administrators. A change of role and a suspension end all sessions of the user. The last administrator can be neither demoted nor suspended. It goes into the audit log.',
  access: 'admin',
  rateLimit: 'default',
  repeatable: true,
  params: UserParams,
  body: ref(UpdateUserRequest),
  examples: { suspend: { suspended: true, reason: 'Spam' }, promote: { role: 'admin' } },
  responses: { 200: { description: 'The user, as changed', body: ref(AdminUser), example: aliceForAdmins } },
  errors: ['not_found', 'conflict'],
})

/** `delete` is a word of the language. */
export const deleteUser = defineOperation({
  operationId: 'users.delete',
  method: 'DELETE',
  path: '/v1/users/{userId}',
  summary: 'Delete a user',
  description:
    'For administrators. The sessions end now, the erasure follows at once and cannot be undone: see `users.deleteMe` for what it erases. The last administrator cannot be deleted. It goes into the audit log.',
  access: 'admin',
  rateLimit: 'default',
  repeatable: true,
  params: UserParams,
  body: ref(DeleteUserRequest),
  examples: { any: { reason: 'Asked by letter' } },
  responses: {
    202: { description: 'The account is being erased', body: ref(ScheduledDeletion), example: { deletionAt: '2026-11-20T10:00:00.000Z' } },
  },
  errors: ['not_found', 'conflict'],
})

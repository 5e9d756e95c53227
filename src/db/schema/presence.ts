/**
 * Who has a socket open, by process: one row for each user of a process, not one for each socket or event. A process says every few
 * seconds that it lives; the rows of one that died count for nothing once it has been silent for a while.
 */
import { index, pgTable, primaryKey, timestamp, uuid } from 'drizzle-orm/pg-core'
import type { UserId } from '../../../openapi/shared/ids.ts'
import { users } from './users.ts'

export const processes = pgTable('processes', {
  id: uuid().primaryKey(),
  lastBeatAt: timestamp({ withTimezone: true }).notNull(),
})

export const onlineUsers = pgTable(
  'online_users',
  {
    processId: uuid()
      .notNull()
      .references(() => processes.id, { onDelete: 'cascade' }),
    userId: uuid()
      .$type<UserId>()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
  },
  (table) => [primaryKey({ columns: [table.processId, table.userId] }), index('online_users_user').on(table.userId)],
)

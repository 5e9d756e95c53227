import { and, eq, ne, sql } from 'drizzle-orm'
import type { UserId } from '../../../openapi/shared/ids.ts'
import type { Executor } from '../../db/executor.ts'
import { knownDevices } from '../../db/schema/credentials.ts'

interface KnownDevice {
  userId: UserId
  deviceHash: string
}

export type DeviceRepository = ReturnType<typeof createDeviceRepository>

export const createDeviceRepository = () => ({
  /** @returns whether it was not known before */
  async put({ userId, deviceHash }: KnownDevice, at: Date, executor: Executor): Promise<boolean> {
    const [row] = await executor
      .insert(knownDevices)
      .values({ userId, deviceHash, firstSeenAt: at, lastSeenAt: at })
      .onConflictDoUpdate({ target: [knownDevices.userId, knownDevices.deviceHash], set: { lastSeenAt: at } })
      // A row that this statement has inserted has no one who updated it.
      .returning({ inserted: sql<boolean>`${sql.identifier('xmax')} = 0` })
    return row?.inserted === true
  },

  async hasOthers({ userId, deviceHash }: KnownDevice, executor: Executor): Promise<boolean> {
    const others = await executor
      .select({ deviceHash: knownDevices.deviceHash })
      .from(knownDevices)
      .where(and(eq(knownDevices.userId, userId), ne(knownDevices.deviceHash, deviceHash)))
      .limit(1)
    return others.length > 0
  },
})

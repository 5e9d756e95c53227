/**
 * Who signs in on a device for the first time, after having used another one, is told by mail: it may be somebody else. A device is
 * known by what its programs say of themselves, browser and system, so somebody else with the same ones, or who says so, is not noticed.
 */
import { createHash } from 'node:crypto'
import type { UserId } from '../../../openapi/shared/ids.ts'
import type { Caller } from '../../actor.ts'
import type { Clock } from '../../clock.ts'
import type { Executor } from '../../db/executor.ts'
import type { Mailer } from '../../integrations/mailer.ts'
import type { Jobs } from '../../jobs/queue.ts'
import type { SecurityService } from '../security/service.ts'
import type { UserService } from '../users/service.ts'
import { deviceLabel } from './device-label.ts'
import { newDeviceMail } from './device-mail.ts'
import type { DeviceRepository } from './device-repository.ts'

/** A sign-in on a device that was not used before. */
export interface NewDevice {
  userId: UserId
  device: string
  ip: string
  /** ISO 8601. */
  at: string
}

interface Dependencies {
  devices: DeviceRepository
  users: Pick<UserService, 'find'>
  security: Pick<SecurityService, 'record'>
  jobs: Pick<Jobs, 'enqueue'>
  mailer: Mailer
  clock: Clock
}

const day = 24 * 60 * 60_000
/** A device that was not used for so long is a new one. */
const rememberedMilliseconds = 180 * day
/** What programs say of themselves is anybody's to choose: beyond this, those that were used last are remembered. */
const rememberedDevices = 50
/** More than so many mails say nothing more; the security events have every sign-in. */
const mailsPerDay = 5

export type Devices = ReturnType<typeof createDevices>

export const createDevices = ({ devices, users, security, jobs, mailer, clock }: Dependencies) => ({
  /** To be called in the transaction of a sign-in, which has locked the user. */
  async note(userId: UserId, { ip, userAgent }: Caller, tx: Executor): Promise<void> {
    const device = deviceLabel(userAgent)
    const known = { userId, deviceHash: createHash('sha256').update(`${userId} ${device}`).digest('base64url') }
    const now = clock.now()
    const before = (milliseconds: number): Date => new Date(now.getTime() - milliseconds)
    await devices.forget(userId, { before: before(rememberedMilliseconds), kept: rememberedDevices }, tx)
    if (!(await devices.put(known, now, tx))) return
    const { others, newOthers } = await devices.countOthers(known, before(day), tx)
    // The first of all is no news.
    if (others === 0) return
    await security.record({ type: 'new_device', userId, ip, metadata: { device } }, tx)
    if (newOthers < mailsPerDay) await jobs.enqueue(tx, 'auth.mailNewDevice', { userId, device, ip, at: now.toISOString() })
  },

  async eraseWithin({ id }: { id: UserId }, tx: Executor): Promise<void> {
    await devices.deleteOf(id, tx)
  },

  /** @throws what the mailer throws; doing it again is safe */
  async mail({ userId, ...signIn }: NewDevice): Promise<void> {
    const user = await users.find(userId)
    if (user !== undefined && user.erasedAt === null) await mailer.send(newDeviceMail(user, signIn))
  },
})

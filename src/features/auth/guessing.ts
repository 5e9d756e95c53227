/**
 * Guessing is slowed beyond the rate limit: by whoever guesses and where, by account over all networks, and by network over all accounts.
 * Every attempt counts as a failure before anything is compared, and is taken back when it was none: so a hundred at once get no more
 * tries than a hundred in a row. What is counted goes by what was typed, known or not, and is kept as an HMAC: it may be a password.
 */
import { createHmac } from 'node:crypto'
import type { UserId } from '../../../openapi/shared/ids.ts'
import { networkOf } from '../../caller-address.ts'
import type { Clock } from '../../clock.ts'
import type { Executor } from '../../db/executor.ts'
import type { UserRow } from '../../db/schema/users.ts'
import { AppError } from '../../errors/app-error.ts'
import type { SecurityService } from '../security/service.ts'
import { normalizeEmail } from '../users/service.ts'
import type { GuessingRepository } from './guessing-repository.ts'

const forgottenAfterSeconds = 24 * 60 * 60

/** What is guessed, and how long that is borne: failures that cost nothing within a day, and the longest wait after more. */
const limits = {
  'account in network': { free: 5, longestWaitSeconds: 15 * 60 },
  account: { free: 20, longestWaitSeconds: 60 },
  network: { free: 50, longestWaitSeconds: 15 * 60 },
  'current password': { free: 5, longestWaitSeconds: 15 * 60 },
  'code in network': { free: 5, longestWaitSeconds: 15 * 60 },
  code: { free: 20, longestWaitSeconds: 60 },
  'codes of network': { free: 50, longestWaitSeconds: 15 * 60 },
} as const

type Kind = keyof typeof limits

/** Over all accounts: to be right about one of them excuses nothing. */
const isOfNetwork = (kind: Kind): boolean => kind === 'network' || kind === 'codes of network'

/** What an attempt counts for. */
export interface Subject {
  kind: Kind
  name: string
}

/** Whose account is tried, as far as it is anybody's, and from where. */
interface Guesser {
  userId: UserId | undefined
  ip: string
}

/**
 * @param identifier as it was typed: an account's address and its username are counted apart, for one count would tell that they are of one account
 */
export const passwordGuess = (identifier: string, ip: string): Subject[] => {
  const [account, network] = [normalizeEmail(identifier), networkOf(ip)]
  return [
    { kind: 'account in network', name: `${network} ${account}` },
    { kind: 'account', name: account },
    { kind: 'network', name: network },
  ]
}

export const currentPasswordGuess = (userId: UserId): Subject[] => [{ kind: 'current password', name: userId }]

/** As passwords, and counted beside them: who has to wait at the one can sign in by the other. */
export const codeGuess = (email: string, ip: string): Subject[] => {
  const [account, network] = [normalizeEmail(email), networkOf(ip)]
  return [
    { kind: 'code in network', name: `${network} ${account}` },
    { kind: 'code', name: account },
    { kind: 'codes of network', name: network },
  ]
}

interface Dependencies {
  failures: GuessingRepository
  security: Pick<SecurityService, 'record'>
  /** Hashes what is counted. */
  key: Buffer
  clock: Clock
}

export type Guessing = ReturnType<typeof createGuessing>

export function createGuessing({ failures, security, key, clock }: Dependencies) {
  const keyOf = ({ kind, name }: Subject): string => createHmac('sha256', key).update(`${kind}\n${name}`).digest('base64url')

  /** Once for every time that the waits begin, not for every wait. */
  const recordLocks = async (begun: readonly { kind: Kind }[], { userId, ip }: Guesser): Promise<void> => {
    for (const { kind } of begun) {
      await security.record({ type: 'sign_in_locked', userId: isOfNetwork(kind) ? undefined : userId, ip, metadata: { by: kind } })
    }
  }

  const refuse = async (keys: readonly string[]): Promise<never> => {
    const now = clock.now()
    const until = await failures.findBlockedUntil(keys, now)
    const seconds = Math.max(1, Math.ceil(((until?.getTime() ?? 0) - now.getTime()) / 1000))
    throw new AppError('rate_limit_exceeded', `Too many wrong attempts; try again in ${seconds} s.`, { retryAfterSeconds: seconds })
  }

  const begin = async (subjects: readonly Subject[], guesser: Guesser) => {
    const asked = subjects.map((subject) => ({ key: keyOf(subject), kind: subject.kind, ...limits[subject.kind] }))
    const failuresOf = new Map((await failures.add(asked, clock.now(), forgottenAfterSeconds)).map((counted) => [counted.key, counted.failures]))
    const begun = asked.filter(({ key, free }) => failuresOf.get(key) === free + 1)
    if (failuresOf.size < asked.length) {
      await recordLocks(begun, guesser)
      return refuse(keysOf(asked))
    }

    const takeBack = (forgottenKinds: (kind: Kind) => boolean) => {
      const lessened = asked.filter(({ kind }) => !forgottenKinds(kind))
      const unblocked = lessened.filter(({ key, free }) => (failuresOf.get(key) ?? 0) > free)
      return failures.takeBack({
        forgotten: keysOf(asked.filter(({ kind }) => forgottenKinds(kind))),
        lessened: keysOf(lessened),
        unblocked: keysOf(unblocked),
      })
    }
    return {
      async failed(): Promise<void> {
        await recordLocks(begun, guesser)
        const now = clock.now()
        await failures.deleteForgotten(new Date(now.getTime() - forgottenAfterSeconds * 1000), now)
      },
      succeeded: () => takeBack((kind) => !isOfNetwork(kind)),
      withdraw: () => takeBack(() => false),
    }
  }

  return {
    /**
     * Counts the attempt, then compares. What was right forgets the failures before, but those of the network; what could not be compared does not count.
     * @returns what `compare` does: undefined when it was wrong
     * @throws `rate_limit_exceeded`, before anything is compared, while one of the subjects has to wait
     */
    async attempt<T>(subjects: readonly Subject[], guesser: Guesser, compare: () => Promise<T | undefined>): Promise<T | undefined> {
      const attempt = await begin(subjects, guesser)
      const right = await compare().catch(async (error: unknown) => {
        await attempt.withdraw()
        throw error
      })
      await (right === undefined ? attempt.failed() : attempt.succeeded())
      return right
    },

    /** After proof of another kind of who it is: forgets the failures before, but those of the network. */
    async forget(subjects: readonly Subject[]): Promise<void> {
      await failures.takeBack({ forgotten: subjects.filter(({ kind }) => !isOfNetwork(kind)).map(keyOf), lessened: [], unblocked: [] })
    },

    /** Forgets what was counted of a user who is being erased, as far as it can be named: in which networks that was, nobody knows any more. */
    async eraseWithin({ id, email, username }: Pick<UserRow, 'id' | 'email' | 'username'>, tx: Executor): Promise<void> {
      const accounts = [email, ...(username === null ? [] : [normalizeEmail(username)])]
      const subjects: Subject[] = [...currentPasswordGuess(id), { kind: 'code', name: email }, ...accounts.map((name) => ({ kind: 'account' as const, name }))]
      await failures.takeBack({ forgotten: subjects.map(keyOf), lessened: [], unblocked: [] }, tx)
    },
  }
}

const keysOf = (counts: readonly { key: string }[]): string[] => counts.map(({ key }) => key)

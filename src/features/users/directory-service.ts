/** What users may see of each other: one who is looked up, lists, and the search by name. */
import type { UserId } from '../../../openapi/shared/ids.ts'
import type { PresenceStatus } from '../../../openapi/users/schemas.ts'
import type { Actor } from '../../actor.ts'
import type { UserRow } from '../../db/schema/users.ts'
import { AppError, invalidField } from '../../errors/app-error.ts'
import { decodeCursor, encodeCursor } from '../../pagination.ts'
import { type DirectoryFilter, type DirectoryPosition, type DirectoryRepository, type ListedUser, searchLimit } from './directory-repository.ts'
import type { UserRepository } from './repository.ts'

interface SeenPresence {
  status: PresenceStatus
  lastSeen: Date | null
}

/** Somebody as another one sees them. */
export interface SeenUser {
  user: UserRow
  presence: SeenPresence
}

interface Listing {
  search?: string | undefined
  ids?: string[] | undefined
  limit?: number | undefined
  offset?: number | undefined
  cursor?: string | undefined
  includeTotal?: boolean | undefined
}

interface UserPage {
  items: SeenUser[]
  nextCursor: string | null
  hasMore: boolean
  total?: number
}

interface Dependencies {
  users: Pick<UserRepository, 'findById'>
  directory: DirectoryRepository
  presence: { statusOf(viewerId: UserId, userIds: readonly UserId[]): Promise<ReadonlyMap<UserId, SeenPresence>> }
  /** As of the users' service: who has not verified the address is there for nobody else. */
  hideUnverified: boolean
}

/** Beyond it nobody is counted: the answer would cost more, and tell less, the more users there are. */
const countLimit = 10_000

export type DirectoryService = ReturnType<typeof createDirectoryService>

export function createDirectoryService({ users, directory, presence, hideUnverified }: Dependencies) {
  const see = async ({ userId }: Actor, rows: UserRow[]): Promise<SeenUser[]> => {
    const ids = rows.map(({ id }) => id)
    const seen = await presence.statusOf(userId, ids)
    return rows.map((user) => ({ user, presence: seen.get(user.id) ?? { status: 'offline', lastSeen: null } }))
  }

  return {
    /** Also who was erased: it is told that there is nothing any more. @throws `not_found` */
    async get(actor: Actor, userId: UserId): Promise<SeenUser> {
      const user = await users.findById(userId)
      const isHidden = hideUnverified && user?.emailVerifiedAt === null && user.erasedAt === null && userId !== actor.userId
      const [seen] = user === undefined || isHidden ? [] : await see(actor, [user])
      if (seen === undefined) throw new AppError('not_found')
      return seen
    },

    /** The newest first; with `search` the likeliest. @throws `validation_error` for what cannot be together, or a cursor of another list */
    async list(actor: Actor, { search, ids, limit = 50, offset, cursor, includeTotal = false }: Listing): Promise<UserPage> {
      if (cursor !== undefined && offset !== undefined) throw invalidField('query', 'only one of cursor and offset can be given')
      const term = search?.trim()
      if (term === '') throw invalidField('query.search', 'must not be blank')
      const filter: DirectoryFilter = { term, ids, verifiedOr: hideUnverified ? actor.userId : undefined }
      const after = cursor === undefined ? undefined : decodePosition(cursor, term)
      const rows = await directory.list(filter, { after, offset, limit: limit + 1 })
      const last = rows.length > limit ? rows[limit - 1] : undefined
      return {
        items: await see(
          actor,
          rows.slice(0, limit).map(({ user }) => user),
        ),
        nextCursor: last === undefined ? null : encodePosition(last, term),
        hasMore: last !== undefined,
        ...(includeTotal && { total: await directory.count(filter, term === undefined ? countLimit : searchLimit) }),
      }
    },
  }
}

type Kind = 'newest' | 'likeliest'

const kindOf = (term: string | undefined): Kind => (term === undefined ? 'newest' : 'likeliest')

const encodePosition = ({ user, sortKey }: ListedUser, term: string | undefined): string => encodeCursor([kindOf(term), sortKey, user.id])

function decodePosition(cursor: string, term: string | undefined): DirectoryPosition {
  const [kind, sortKey, id] = decodeCursor(cursor, ['string', 'number', 'id'])
  if (kind !== kindOf(term)) throw invalidField('query.cursor', 'is not a cursor of this list')
  return { sortKey, id }
}

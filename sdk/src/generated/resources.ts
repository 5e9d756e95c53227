// Generated from openapi/openapi.json by `npm run generate`. Changes made here are lost.

import { type ApiCall, type Call, type CallOptions, type PagedCall, paged, path, withClientId } from '../api-call.ts'

import type {
  AddMembersRequest,
  AddMembersResult,
  Conversation,
  ConversationResult,
  ConversationsListMembersQuery,
  ConversationsListQuery,
  CreateConversationRequest,
  Health,
  LoginRequest,
  MarkReadRequest,
  Member,
  Message,
  MessagesListQuery,
  PullRequest,
  PullResult,
  ReadMark,
  Readiness,
  RefreshRequest,
  RegisterRequest,
  RegisterResult,
  RequestCodeRequest,
  SendDirectMessageRequest,
  SendMessageRequest,
  SendMessageResult,
  SetTypingRequest,
  SystemAsyncapiResult,
  SystemOpenapiResult,
  SystemPostmanResult,
  TokenPair,
  UpdateConversationRequest,
  UpdateMemberRequest,
  User,
  VerifyEmailRequest,
} from './types.ts'

/** Who you are: registration, sign-in, tokens */
export interface Auth {
  /**
   * Sign in with a password.
   *
   * For whoever registered with one and has verified the address; everybody else signs in with `auth.requestCode` and `auth.verifyEmail`.
   *
   * `POST /v1/auth/login`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {UnauthorizedError} `invalid_credentials`
   * @throws {ForbiddenError} `email_not_verified`
   */
  login(body: LoginRequest, options?: CallOptions): ApiCall<TokenPair>

  /**
   * Sign out.
   *
   * Revokes the session of the access token: its refresh token, its access tokens and its sockets end at once.
   *
   * `POST /v1/auth/logout`
   *
   * @throws {ValidationError} `validation_error`
   */
  logout(options?: CallOptions): ApiCall<void>

  /**
   * Get the signed-in user.
   *
   * `GET /v1/auth/me`
   *
   * @throws {ValidationError} `validation_error`
   */
  me(options?: CallOptions): ApiCall<User>

  /**
   * Exchange a refresh token for the next pair.
   *
   * A refresh token works once. Used again within 10 seconds (a lost answer), it returns the same next token, as long as that was not used itself; used again later, it is taken for stolen and the whole session is revoked.
   *
   * `POST /v1/auth/refresh`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `token_family_compromised`
   */
  refresh(body: RefreshRequest, options?: CallOptions): ApiCall<TokenPair>

  /**
   * Register.
   *
   * With a password, or with the e-mail address alone. A 6-digit code is mailed either way; `auth.verifyEmail` turns it into tokens.
   *
   * `POST /v1/auth/register`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ConflictError} `conflict`
   */
  register(body: RegisterRequest, options?: CallOptions): ApiCall<RegisterResult>

  /**
   * Request a code by e-mail.
   *
   * To sign in without a password, or to get another verification code; it voids the ones before. At most 3 mails go to one address within 10 minutes, the one of `auth.register` included: a request beyond them mails nothing and voids nothing. The answer is the same in every case, also for an address that nobody has.
   *
   * `POST /v1/auth/code`
   *
   * @throws {ValidationError} `validation_error`
   */
  requestCode(body: RequestCodeRequest, options?: CallOptions): ApiCall<void>

  /**
   * Sign in with a mailed code.
   *
   * Marks the address as verified and starts a session. A password given at registration holds only when the address is verified with the code of that registration: otherwise a stranger could have chosen it.
   *
   * `POST /v1/auth/verify-email`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {UnauthorizedError} `invalid_code`
   */
  verifyEmail(body: VerifyEmailRequest, options?: CallOptions): ApiCall<TokenPair>
}

/** Direct conversations and groups, their members and read marks */
export interface Conversations {
  /**
   * Add members to a group.
   *
   * For owners and admins of the group. All are added or none.
   *
   * `POST /v1/conversations/{conversationId}/members`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `forbidden`
   * @throws {NotFoundError} `not_found`
   * @throws {ConflictError} `conflict`
   */
  addMembers(conversationId: string, body: AddMembersRequest, options?: CallOptions): ApiCall<AddMembersResult>

  /**
   * List members.
   *
   * In the order in which they joined.
   *
   * `GET /v1/conversations/{conversationId}/members`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {NotFoundError} `not_found`
   */
  listMembers(conversationId: string, query?: ConversationsListMembersQuery, options?: CallOptions): PagedCall<Member>

  /**
   * Create a conversation.
   *
   * Two people have one direct conversation: creating it again returns it with status 200, also when both do it at once. A group is created once per `clientId` (or `Idempotency-Key` header).
   *
   * `POST /v1/conversations`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {NotFoundError} `not_found`
   */
  create(body: CreateConversationRequest, options?: CallOptions): ApiCall<ConversationResult>

  /**
   * List your conversations.
   *
   * Latest first: by the last message, or change of title or members. Marking as read does not move a conversation.
   *
   * `GET /v1/conversations`
   *
   * @throws {ValidationError} `validation_error`
   */
  list(query?: ConversationsListQuery, options?: CallOptions): PagedCall<Conversation>

  /**
   * Get a conversation.
   *
   * `GET /v1/conversations/{conversationId}`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {NotFoundError} `not_found`
   */
  get(conversationId: string, options?: CallOptions): ApiCall<ConversationResult>

  /**
   * Change a group's title.
   *
   * For owners and admins of the group.
   *
   * `PATCH /v1/conversations/{conversationId}`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `forbidden`
   * @throws {NotFoundError} `not_found`
   * @throws {ConflictError} `conflict`
   */
  update(conversationId: string, body: UpdateConversationRequest, options?: CallOptions): ApiCall<ConversationResult>

  /**
   * Mark as read up to a message.
   *
   * The members are told (event `read`); neither `updatedAt` nor the place in the list changes.
   *
   * `POST /v1/conversations/{conversationId}/read`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {NotFoundError} `not_found`
   */
  markRead(conversationId: string, body: MarkReadRequest, options?: CallOptions): ApiCall<ReadMark>

  /**
   * Remove a member from a group, or leave it.
   *
   * Owners remove anybody, admins remove members, everybody may leave. When the last owner leaves, the admin and else the member who joined first becomes owner. Removing one who is no member succeeds.
   *
   * `DELETE /v1/conversations/{conversationId}/members/{userId}`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `forbidden`
   * @throws {NotFoundError} `not_found`
   * @throws {ConflictError} `conflict`
   */
  removeMember(conversationId: string, userId: string, options?: CallOptions): ApiCall<void>

  /**
   * Change a member's role.
   *
   * For owners of the group. The last owner stays owner.
   *
   * `PATCH /v1/conversations/{conversationId}/members/{userId}`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `forbidden`
   * @throws {NotFoundError} `not_found`
   * @throws {ConflictError} `conflict`
   */
  updateMember(conversationId: string, userId: string, body: UpdateMemberRequest, options?: CallOptions): ApiCall<Member>

  /**
   * Say that you are typing, or not any more.
   *
   * Told to the members who are connected, stored nowhere; it ends by itself after 6 seconds unless it is said again.
   *
   * `POST /v1/conversations/{conversationId}/typing`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {NotFoundError} `not_found`
   */
  setTyping(conversationId: string, body: SetTypingRequest, options?: CallOptions): ApiCall<void>

  /**
   * Send a message.
   *
   * The message is stored before the answer. A retry with the same `clientId` (or `Idempotency-Key` header) returns the first result; the same `clientId` for another conversation is a `conflict`.
   *
   * `POST /v1/conversations/{conversationId}/messages`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {NotFoundError} `not_found`
   * @throws {ConflictError} `conflict`
   */
  sendMessage(conversationId: string, body: SendMessageRequest, options?: CallOptions): ApiCall<SendMessageResult>
}

/** Sending and reading messages */
export interface Messages {
  /**
   * List messages.
   *
   * Newest first. `before` a message pages towards the past; `after` a message pages towards the present, oldest first. `cursor` continues the page it came from. A message id that is not in this conversation is `not_found`.
   *
   * `GET /v1/conversations/{conversationId}/messages`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {NotFoundError} `not_found`
   */
  list(conversationId: string, query?: MessagesListQuery, options?: CallOptions): PagedCall<Message>

  /**
   * Send a message to a user.
   *
   * Finds or makes the direct conversation with the recipient. The message is stored before the answer. A retry with the same `clientId` (or `Idempotency-Key` header) returns the first result; the same `clientId` for another conversation is a `conflict`.
   *
   * `POST /v1/messages`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {NotFoundError} `not_found`
   * @throws {ConflictError} `conflict`
   */
  send(body: SendDirectMessageRequest, options?: CallOptions): ApiCall<SendMessageResult>
}

/** What changed while you were away, without a socket */
export interface Sync {
  /**
   * Get what changed since your cursors.
   *
   * The REST twin of the socket's `resume`. Without cursors it only tells `positions`: the point to start from. A conversation in `positions` that you hold no cursor for is new to you: ask for it with 0. A cursor beyond its position means that the server's database was restored from a backup: go on from the position, and load that conversation anew.
   *
   * `POST /v1/sync`
   *
   * @throws {ValidationError} `validation_error`
   */
  pull(body?: PullRequest, options?: CallOptions): ApiCall<PullResult>
}

/** Probes, metrics and these documents */
export interface System {
  /**
   * Get the contract of the socket.
   *
   * `GET /asyncapi.json`
   *
   * @throws {ValidationError} `validation_error`
   */
  asyncapi(options?: CallOptions): ApiCall<SystemAsyncapiResult>

  /**
   * Is the process alive?
   *
   * `GET /health`
   *
   * @throws {ValidationError} `validation_error`
   */
  health(options?: CallOptions): ApiCall<Health>

  /**
   * Get metrics for Prometheus.
   *
   * `GET /metrics`
   *
   * @throws {ValidationError} `validation_error`
   */
  metrics(options?: CallOptions): ApiCall<string>

  /**
   * Get this contract.
   *
   * `GET /openapi.json`
   *
   * @throws {ValidationError} `validation_error`
   */
  openapi(options?: CallOptions): ApiCall<SystemOpenapiResult>

  /**
   * Get the collection for Postman.
   *
   * `GET /docs/postman.json`
   *
   * @throws {ValidationError} `validation_error`
   */
  postman(options?: CallOptions): ApiCall<SystemPostmanResult>

  /**
   * Can it serve?
   *
   * Asks each dependency.
   *
   * `GET /ready`
   *
   * @throws {ValidationError} `validation_error`
   */
  ready(options?: CallOptions): ApiCall<Readiness>
}

/** Every resource of the API. */
export class Resources {
  readonly auth: Auth
  readonly conversations: Conversations
  readonly messages: Messages
  readonly sync: Sync
  readonly system: System

  constructor(call: Call) {
    this.auth = auth(call)
    this.conversations = conversations(call)
    this.messages = messages(call)
    this.sync = sync(call)
    this.system = system(call)
  }
}

const auth = (call: Call): Auth => ({
  login: (body, options) => call({ id: 'auth.login', method: 'POST', path: '/v1/auth/login', body, public: true }, options),
  logout: (options) => call({ id: 'auth.logout', method: 'POST', path: '/v1/auth/logout', repeatable: true }, options),
  me: (options) => call({ id: 'auth.me', method: 'GET', path: '/v1/auth/me' }, options),
  refresh: (body, options) => call({ id: 'auth.refresh', method: 'POST', path: '/v1/auth/refresh', body, public: true, repeatable: true }, options),
  register: (body, options) => call({ id: 'auth.register', method: 'POST', path: '/v1/auth/register', body, public: true }, options),
  requestCode: (body, options) => call({ id: 'auth.requestCode', method: 'POST', path: '/v1/auth/code', body, public: true }, options),
  verifyEmail: (body, options) => call({ id: 'auth.verifyEmail', method: 'POST', path: '/v1/auth/verify-email', body, public: true }, options),
})

const conversations = (call: Call): Conversations => ({
  addMembers: (conversationId, body, options) => call({ id: 'conversations.addMembers', method: 'POST', path: path`/v1/conversations/${conversationId}/members`, body, repeatable: true }, options),
  listMembers: (conversationId, query, options) => paged((next) => call({ id: 'conversations.listMembers', method: 'GET', path: path`/v1/conversations/${conversationId}/members`, query: { ...query, ...next } }, options)),
  create: (body, options) => call({ id: 'conversations.create', method: 'POST', path: '/v1/conversations', body: withClientId(body), repeatable: true }, options),
  list: (query, options) => paged((next) => call({ id: 'conversations.list', method: 'GET', path: '/v1/conversations', query: { ...query, ...next } }, options)),
  get: (conversationId, options) => call({ id: 'conversations.get', method: 'GET', path: path`/v1/conversations/${conversationId}` }, options),
  update: (conversationId, body, options) => call({ id: 'conversations.update', method: 'PATCH', path: path`/v1/conversations/${conversationId}`, body, repeatable: true }, options),
  markRead: (conversationId, body, options) => call({ id: 'conversations.markRead', method: 'POST', path: path`/v1/conversations/${conversationId}/read`, body, repeatable: true }, options),
  removeMember: (conversationId, userId, options) => call({ id: 'conversations.removeMember', method: 'DELETE', path: path`/v1/conversations/${conversationId}/members/${userId}` }, options),
  updateMember: (conversationId, userId, body, options) => call({ id: 'conversations.updateMember', method: 'PATCH', path: path`/v1/conversations/${conversationId}/members/${userId}`, body, repeatable: true }, options),
  setTyping: (conversationId, body, options) => call({ id: 'conversations.setTyping', method: 'POST', path: path`/v1/conversations/${conversationId}/typing`, body, repeatable: true }, options),
  sendMessage: (conversationId, body, options) => call({ id: 'conversations.sendMessage', method: 'POST', path: path`/v1/conversations/${conversationId}/messages`, body: withClientId(body), repeatable: true }, options),
})

const messages = (call: Call): Messages => ({
  list: (conversationId, query, options) => paged((next) => call({ id: 'messages.list', method: 'GET', path: path`/v1/conversations/${conversationId}/messages`, query: { ...query, ...next } }, options)),
  send: (body, options) => call({ id: 'messages.send', method: 'POST', path: '/v1/messages', body: withClientId(body), repeatable: true }, options),
})

const sync = (call: Call): Sync => ({
  pull: (body = {}, options) => call({ id: 'sync.pull', method: 'POST', path: '/v1/sync', body, repeatable: true }, options),
})

const system = (call: Call): System => ({
  asyncapi: (options) => call({ id: 'system.asyncapi', method: 'GET', path: '/asyncapi.json', public: true }, options),
  health: (options) => call({ id: 'system.health', method: 'GET', path: '/health', public: true }, options),
  metrics: (options) => call({ id: 'system.metrics', method: 'GET', path: '/metrics', public: true }, options),
  openapi: (options) => call({ id: 'system.openapi', method: 'GET', path: '/openapi.json', public: true }, options),
  postman: (options) => call({ id: 'system.postman', method: 'GET', path: '/docs/postman.json', public: true }, options),
  ready: (options) => call({ id: 'system.ready', method: 'GET', path: '/ready', public: true, accepts: [503] }, options),
})

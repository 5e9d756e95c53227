// Generated from openapi/openapi.json by `npm run generate`. Changes made here are lost.

import { type ApiCall, type Call, type CallOptions, type PagedCall, paged, path, type UploadOptions, withClientId } from '../api-call.ts'

import type {
  AddMembersRequest,
  AddMembersResult,
  AdminListAuditLogQuery,
  AdminListUsersQuery,
  AdminUser,
  ApiKey,
  ApiKeysListQuery,
  AuditLogEntry,
  AuthListSessionsQuery,
  BlockedUser,
  ChangePasswordRequest,
  Conversation,
  ConversationResult,
  ConversationsListInvitesQuery,
  ConversationsListMembersQuery,
  ConversationsListPublicQuery,
  ConversationsListQuery,
  CookieSession,
  CreateApiKeyRequest,
  CreateConversationRequest,
  CreateFileLinkRequest,
  CreateInviteRequest,
  CreateUserRequest,
  CreatedApiKey,
  DeleteMeRequest,
  DeleteUserRequest,
  DeliveryMark,
  ExchangeOAuthRequest,
  FileLink,
  FilesGetContentQuery,
  ForgotPasswordRequest,
  FoundConversation,
  FoundMessage,
  GetMessageResult,
  Health,
  Invite,
  InvitePreview,
  InviteResult,
  LoginRequest,
  MarkDeliveredRequest,
  MarkMessagesReadRequest,
  MarkMessagesReadResult,
  MarkReadRequest,
  Member,
  Membership,
  Message,
  MessageResult,
  MessageVersion,
  MessagesListHistoryQuery,
  MessagesListQuery,
  MessagesListReactionsQuery,
  MessagesListReceiptsQuery,
  OAuthProviders,
  Presence,
  PublicGroup,
  PullRequest,
  PullResult,
  ReadMark,
  Readiness,
  Receipt,
  RefreshRequest,
  RegisterRequest,
  RegisterResult,
  RequestCodeRequest,
  ResetPasswordRequest,
  RevokeAllRequest,
  RevokeAllResult,
  RevokeUserSessionsRequest,
  ScheduledDeletion,
  SearchConversationsQuery,
  SearchMessagesQuery,
  SecurityEvent,
  SecurityGetStatsQuery,
  SecurityListEventsQuery,
  SecurityStats,
  SendDirectMessageRequest,
  SendMessageRequest,
  SendMessageResult,
  Session,
  SetAvatarRequest,
  SetPresenceRequest,
  SetTypingRequest,
  StartCookieSessionRequest,
  StoredFile,
  SystemAsyncapiResult,
  SystemOpenapiResult,
  SystemPostmanResult,
  TokenPair,
  UpdateConversationRequest,
  UpdateMeRequest,
  UpdateMemberRequest,
  UpdateMembershipRequest,
  UpdateMessageRequest,
  UpdateUserRequest,
  UploadFileRequest,
  User,
  UserExport,
  UserProfile,
  UserReaction,
  UsersListBlockedQuery,
  UsersListQuery,
  VerifyEmailRequest,
} from './types.ts'

/** Who you are: registration, passwords, other providers, sessions and their tokens */
export interface Auth {
  /**
   * Sign in with a password.
   *
   * For whoever registered with one and has verified the address; everybody else signs in with `auth.requestCode` and `auth.verifyEmail`. Wrong passwords slow down, by account and by network: `rate_limit_exceeded` says how long to wait. A mailed code signs in meanwhile.
   *
   * `POST /v1/auth/login`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {UnauthorizedError} `invalid_credentials`
   * @throws {ForbiddenError} `account_suspended`
   * @throws {ForbiddenError} `email_not_verified`
   */
  login(body: LoginRequest, options?: CallOptions): ApiCall<TokenPair>

  /**
   * Sign out.
   *
   * Ends the session that asks: its refresh token, its access tokens, its cookie and its sockets end at once.
   *
   * `POST /v1/auth/logout`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `insufficient_scope`
   * @throws {ForbiddenError} `csrf_rejected`
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
   * A refresh token works once. Used again within 10 seconds (a lost answer), it returns the same next token, as long as that was not used itself; used again later, it is taken for stolen and the whole session is revoked. However often it is refreshed, a session ends 90 days after its sign-in.
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
   * With a password, or with the e-mail address alone. A 6-digit code is mailed either way; `auth.verifyEmail` turns it into tokens. Where the server is configured to hide which addresses are taken, the answer is the same for one that is, with an id of nobody, and the mail tells its owner; `username` is refused there, and chosen after verifying, with `users.updateMe`.
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
   * Marks the address as verified and starts a session. A password given at registration holds only when the address is verified with the code of that registration: otherwise a stranger could have chosen it. Wrong codes slow down, by account and by network: `rate_limit_exceeded` says how long to wait.
   *
   * `POST /v1/auth/verify-email`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {UnauthorizedError} `invalid_code`
   * @throws {ForbiddenError} `account_suspended`
   */
  verifyEmail(body: VerifyEmailRequest, options?: CallOptions): ApiCall<TokenPair>

  /**
   * Change your password.
   *
   * Ends all other sessions, and no API keys; a mail says how many of them still work. Who has no password yet sets one by `auth.forgotPassword`. Wrong ones slow down, as in `auth.login`.
   *
   * `POST /v1/auth/password/change`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {UnauthorizedError} `invalid_credentials`
   * @throws {ForbiddenError} `insufficient_scope`
   * @throws {ForbiddenError} `csrf_rejected`
   */
  changePassword(body: ChangePasswordRequest, options?: CallOptions): ApiCall<void>

  /**
   * Ask for a new password.
   *
   * Mails a token for `auth.resetPassword`, valid for 15 minutes, once; it voids the ones before. At most 3 such mails go to one address within 10 minutes. The answer is the same in every case, also for an address that nobody has.
   *
   * `POST /v1/auth/password/forgot`
   *
   * @throws {ValidationError} `validation_error`
   */
  forgotPassword(body: ForgotPasswordRequest, options?: CallOptions): ApiCall<void>

  /**
   * Set a new password with a mailed token.
   *
   * Ends all sessions, and no API keys; a mail says how many of them still work. Marks the address as verified. Sign in with the new password afterwards.
   *
   * `POST /v1/auth/password/reset`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {UnauthorizedError} `invalid_token`
   */
  resetPassword(body: ResetPasswordRequest, options?: CallOptions): ApiCall<void>

  /**
   * Exchange a one-time code for tokens.
   *
   * A code works once, also when the `codeVerifier` is wrong or the account suspended: then sign in again. When it comes a second time, the session that it began ends.
   *
   * `POST /v1/auth/oauth/exchange`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {UnauthorizedError} `invalid_token`
   * @throws {ForbiddenError} `account_suspended`
   */
  exchangeOAuth(body: ExchangeOAuthRequest, options?: CallOptions): ApiCall<TokenPair>

  /**
   * List where else one can sign in.
   *
   * `GET /v1/auth/oauth/providers`
   *
   * @throws {ValidationError} `validation_error`
   */
  listOAuthProviders(options?: CallOptions): ApiCall<OAuthProviders>

  /**
   * List your sessions.
   *
   * Those that go on, the newest first.
   *
   * `GET /v1/auth/sessions`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `insufficient_scope`
   */
  listSessions(query?: AuthListSessionsQuery, options?: CallOptions): PagedCall<Session>

  /**
   * End all of your sessions.
   *
   * Their refresh tokens, access tokens, cookies and sockets end at once. API keys stay.
   *
   * `POST /v1/auth/revoke-all`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `insufficient_scope`
   * @throws {ForbiddenError} `csrf_rejected`
   */
  revokeAll(body?: RevokeAllRequest, options?: CallOptions): ApiCall<RevokeAllResult>

  /**
   * End one of your sessions.
   *
   * `DELETE /v1/auth/sessions/{sessionId}`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `insufficient_scope`
   * @throws {ForbiddenError} `csrf_rejected`
   * @throws {NotFoundError} `not_found`
   */
  revokeSession(sessionId: string, options?: CallOptions): ApiCall<void>

  /**
   * Go on by a cookie instead of tokens.
   *
   * For browsers: turns the session of a fresh sign-in into one that goes on by an HTTP-only cookie, which scripts cannot read. The tokens end, and so does the session of a cookie that the browser had before. Changes that are signed in by cookie need the header `X-Requested-With`, with any value, and come from this origin or one of `CORS_ORIGINS`; so does this call, but for the header. With `rememberMe` the cookie holds for 30 days, otherwise until the browser is closed, and on the server for 24 hours without use, where an open socket is use, 7 days at most; both are counted from the sign-in.
   *
   * `POST /v1/auth/cookie`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `csrf_rejected`
   * @throws {ForbiddenError} `token_family_compromised`
   */
  startCookieSession(body: StartCookieSessionRequest, options?: CallOptions): ApiCall<CookieSession>
}

/** Keys by which programs act as you */
export interface ApiKeys {
  /**
   * Create an API key.
   *
   * A program that bears it acts as you, as far as its scope allows. It is shown this once, and you are told of it by mail. At most 50 at a time, and 20 new ones within 24 hours, revoked ones counted; `admin` is for administrators.
   *
   * `POST /v1/api-keys`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `forbidden`
   * @throws {ForbiddenError} `insufficient_scope`
   * @throws {ForbiddenError} `csrf_rejected`
   * @throws {ConflictError} `conflict`
   */
  create(body: CreateApiKeyRequest, options?: CallOptions): ApiCall<CreatedApiKey>

  /**
   * List your API keys.
   *
   * The newest first. Revoked ones are left out; those that have expired stay for 30 days, the last 50 of them at least.
   *
   * `GET /v1/api-keys`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `insufficient_scope`
   */
  list(query?: ApiKeysListQuery, options?: CallOptions): PagedCall<ApiKey>

  /**
   * Revoke an API key.
   *
   * It stops working within a second, and its sockets close.
   *
   * `DELETE /v1/api-keys/{apiKeyId}`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `insufficient_scope`
   * @throws {ForbiddenError} `csrf_rejected`
   * @throws {NotFoundError} `not_found`
   */
  revoke(apiKeyId: string, options?: CallOptions): ApiCall<void>
}

/** Your account and profile, the directory, presence, blocks */
export interface Users {
  /**
   * Get a user.
   *
   * `GET /v1/users/{userId}`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {NotFoundError} `not_found`
   */
  get(userId: string, options?: CallOptions): ApiCall<UserProfile>

  /**
   * Delete a user.
   *
   * For administrators. The sessions end now, the erasure follows at once and cannot be undone: see `users.deleteMe` for what it erases. The last administrator cannot be deleted. It goes into the audit log.
   *
   * `DELETE /v1/users/{userId}`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `forbidden`
   * @throws {ForbiddenError} `insufficient_scope`
   * @throws {ForbiddenError} `csrf_rejected`
   * @throws {NotFoundError} `not_found`
   * @throws {ConflictError} `conflict`
   */
  delete(userId: string, body?: DeleteUserRequest, options?: CallOptions): ApiCall<ScheduledDeletion>

  /**
   * Change or suspend a user.
   *
   * For administrators. A change of role and a suspension end all sessions of the user. The last administrator can be neither demoted nor suspended. It goes into the audit log.
   *
   * `PATCH /v1/users/{userId}`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `forbidden`
   * @throws {ForbiddenError} `insufficient_scope`
   * @throws {ForbiddenError} `csrf_rejected`
   * @throws {NotFoundError} `not_found`
   * @throws {ConflictError} `conflict`
   */
  update(userId: string, body?: UpdateUserRequest, options?: CallOptions): ApiCall<AdminUser>

  /**
   * Get your own profile.
   *
   * `GET /v1/users/me`
   *
   * @throws {ValidationError} `validation_error`
   */
  getMe(options?: CallOptions): ApiCall<User>

  /**
   * Change your own profile.
   *
   * What is left out stays as it is, and null takes it away. The phone is kept in E.164, time zone and locale must be ones that exist. E-mail, role and verification cannot be changed here.
   *
   * `PATCH /v1/users/me`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `insufficient_scope`
   * @throws {ForbiddenError} `csrf_rejected`
   * @throws {ConflictError} `conflict`
   */
  updateMe(body?: UpdateMeRequest, options?: CallOptions): ApiCall<User>

  /**
   * Delete your own account.
   *
   * In 30 days; all sessions and API keys end now, and signing in before that cancels it. Then profile, sessions, keys and files are erased; messages stay as those of a deleted user, or are erased too where the server is configured so. The last administrator cannot be deleted.
   *
   * `DELETE /v1/users/me`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `insufficient_scope`
   * @throws {ForbiddenError} `csrf_rejected`
   * @throws {ConflictError} `conflict`
   */
  deleteMe(body: DeleteMeRequest, options?: CallOptions): ApiCall<ScheduledDeletion>

  /**
   * List or search users.
   *
   * Without `search` in the order of registration, the newest first; with it the likeliest first: usernames and display names that begin with it, then those that are like it. A search finds 1,000 users at most: where more begin with it the first of the alphabet, and of those that are only like it any. E-mail and phone are neither shown nor searched.
   *
   * `GET /v1/users`
   *
   * @throws {ValidationError} `validation_error`
   */
  list(query?: UsersListQuery, options?: CallOptions): PagedCall<UserProfile>

  /**
   * Create a user.
   *
   * For administrators. The user is mailed a code to sign in with. It goes into the audit log.
   *
   * `POST /v1/users`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `forbidden`
   * @throws {ForbiddenError} `insufficient_scope`
   * @throws {ForbiddenError} `csrf_rejected`
   * @throws {ConflictError} `conflict`
   */
  create(body: CreateUserRequest, options?: CallOptions): ApiCall<AdminUser>

  /**
   * Take your picture away.
   *
   * Where there is none, nothing changes.
   *
   * `DELETE /v1/users/me/avatar`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `insufficient_scope`
   * @throws {ForbiddenError} `csrf_rejected`
   */
  deleteAvatar(options?: CallOptions): ApiCall<User>

  /**
   * Set your picture.
   *
   * PNG, JPEG, WebP or GIF, as its bytes say, whatever it is called: up to 5 MiB and 40 megapixels. It is turned upright, cut to its middle, scaled to 512 × 512 pixels and kept as WebP, without what else was in the file; of a moving picture the first frame is kept.
   *
   * `PUT /v1/users/me/avatar`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `insufficient_scope`
   * @throws {ForbiddenError} `csrf_rejected`
   */
  setAvatar(body: SetAvatarRequest, options?: UploadOptions): ApiCall<User>

  /**
   * Set what others are shown while you are there.
   *
   * It stays until you set another one. Those who share a conversation with you are told at once (event `presence.changed`), but for whom you have blocked. An API key that has a socket open is there as you are.
   *
   * `PUT /v1/users/me/presence`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `insufficient_scope`
   * @throws {ForbiddenError} `csrf_rejected`
   */
  setPresence(body: SetPresenceRequest, options?: CallOptions): ApiCall<Presence>

  /**
   * Block a user.
   *
   * A blocked user can neither write to you directly nor see your presence: what they send, and typing, is `forbidden` in your direct conversation, which both can still read, and so is bringing you into a group. You can write to them as before, and groups of which you both are members go on as they are. Blocking twice changes nothing.
   *
   * `PUT /v1/users/{userId}/block`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `insufficient_scope`
   * @throws {ForbiddenError} `csrf_rejected`
   * @throws {NotFoundError} `not_found`
   * @throws {ConflictError} `conflict`
   */
  block(userId: string, options?: CallOptions): ApiCall<BlockedUser>

  /**
   * Unblock a user.
   *
   * `DELETE /v1/users/{userId}/block`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `insufficient_scope`
   * @throws {ForbiddenError} `csrf_rejected`
   * @throws {NotFoundError} `not_found`
   */
  unblock(userId: string, options?: CallOptions): ApiCall<void>

  /**
   * List whom you have blocked.
   *
   * Those whom you blocked last come first.
   *
   * `GET /v1/users/me/blocked`
   *
   * @throws {ValidationError} `validation_error`
   */
  listBlocked(query?: UsersListBlockedQuery, options?: CallOptions): PagedCall<BlockedUser>

  /**
   * Export all of your own data.
   *
   * One JSON document, streamed while it is read: it may be long. Secrets, and what others wrote, are not in it.
   *
   * `GET /v1/users/me/export`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `insufficient_scope`
   */
  exportMe(options?: CallOptions): ApiCall<UserExport>
}

/** Direct conversations and groups, their members and read marks */
export interface Conversations {
  /**
   * Add members to a group.
   *
   * For owners and admins of the group. All are added or none: it is `forbidden` to add somebody who has blocked you; who is a member already stays one. A group that is archived or closed takes nobody in.
   *
   * `POST /v1/conversations/{conversationId}/members`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `forbidden`
   * @throws {ForbiddenError} `insufficient_scope`
   * @throws {ForbiddenError} `csrf_rejected`
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
   * Archive a conversation.
   *
   * For all of its members: it can still be read, is not written to, and is left out of lists unless they ask for it. For owners and admins of a group and either member of a direct conversation, unless the other one has blocked them; again succeeds. `conversations.update` with `status: active` takes it back.
   *
   * `DELETE /v1/conversations/{conversationId}`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `forbidden`
   * @throws {ForbiddenError} `insufficient_scope`
   * @throws {ForbiddenError} `csrf_rejected`
   * @throws {NotFoundError} `not_found`
   */
  archive(conversationId: string, options?: CallOptions): ApiCall<void>

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
   * Change a conversation.
   *
   * Only what is given changes. A group: owners and admins; in a direct conversation either member may change `status`, `summary`, `tags` and `metadata`, and all else is a `validation_error`; whoever the other one has blocked may not. What is archived or closed can be read, marked, left and changed, also back to active, but not written to. Messages that are older than a new `messageRetentionDays` are deleted soon after.
   *
   * `PATCH /v1/conversations/{conversationId}`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `forbidden`
   * @throws {ForbiddenError} `insufficient_scope`
   * @throws {ForbiddenError} `csrf_rejected`
   * @throws {NotFoundError} `not_found`
   */
  update(conversationId: string, body?: UpdateConversationRequest, options?: CallOptions): ApiCall<ConversationResult>

  /**
   * Create a conversation.
   *
   * Two people have one direct conversation: creating it again returns it as it is with status 200, also when both do it at once; it is `forbidden` to begin one, or to create a group, with somebody who has blocked you. A group is created once per `clientId` (or `Idempotency-Key` header), for as long as it is there. With an `initialMessage` a retry that bears the same `clientId` does what is left to do: neither the conversation nor the message comes twice. In a direct conversation a message that was not sent before reopens what is archived or closed; in a group that is archived or closed it is a `conflict`.
   *
   * `POST /v1/conversations`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `forbidden`
   * @throws {ForbiddenError} `insufficient_scope`
   * @throws {ForbiddenError} `csrf_rejected`
   * @throws {NotFoundError} `not_found`
   * @throws {ConflictError} `conflict`
   */
  create(body: CreateConversationRequest, options?: CallOptions): ApiCall<ConversationResult>

  /**
   * List your conversations.
   *
   * Latest first, unless you ask otherwise: by the last message, or change of the conversation or its members. Marking as read does not move a conversation. What moves to the front while you turn pages is not on the pages that follow: a socket tells you of it, and the first page shows it. With `sortBy=createdAt` nothing moves, and the pages have each conversation once.
   *
   * `GET /v1/conversations`
   *
   * @throws {ValidationError} `validation_error`
   */
  list(query?: ConversationsListQuery, options?: CallOptions): PagedCall<Conversation>

  /**
   * Remove a member from a group, or leave it.
   *
   * Owners remove anybody, admins remove members, everybody may leave. When the last owner leaves, the admin and else the member who joined first becomes owner. Removing one who is no member succeeds. A group that everybody has left is nobody’s to see or join; an hour later it is deleted for good, with its messages and the files in them.
   *
   * `DELETE /v1/conversations/{conversationId}/members/{userId}`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `forbidden`
   * @throws {ForbiddenError} `insufficient_scope`
   * @throws {ForbiddenError} `csrf_rejected`
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
   * @throws {ForbiddenError} `insufficient_scope`
   * @throws {ForbiddenError} `csrf_rejected`
   * @throws {NotFoundError} `not_found`
   * @throws {ConflictError} `conflict`
   */
  updateMember(conversationId: string, userId: string, body: UpdateMemberRequest, options?: CallOptions): ApiCall<Member>

  /**
   * Say that you are typing, or not any more.
   *
   * Told to the members who are connected, stored nowhere; it ends by itself after 6 seconds unless it is said again. It is `forbidden` in a direct conversation whose other member has blocked you, and a `conflict` in one that is archived or closed.
   *
   * `POST /v1/conversations/{conversationId}/typing`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `forbidden`
   * @throws {ForbiddenError} `insufficient_scope`
   * @throws {ForbiddenError} `csrf_rejected`
   * @throws {NotFoundError} `not_found`
   * @throws {ConflictError} `conflict`
   */
  setTyping(conversationId: string, body: SetTypingRequest, options?: CallOptions): ApiCall<void>

  /**
   * Mute or pin a conversation.
   *
   * For you alone, on all your devices. It moves neither `updatedAt` nor, unless you list what is pinned first, the place in the list.
   *
   * `PATCH /v1/conversations/{conversationId}/membership`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `insufficient_scope`
   * @throws {ForbiddenError} `csrf_rejected`
   * @throws {NotFoundError} `not_found`
   */
  updateMembership(conversationId: string, body?: UpdateMembershipRequest, options?: CallOptions): ApiCall<Membership>

  /**
   * Join a group by an invite.
   *
   * A member already stays as they are, and no use is counted. What `conversations.getInvite` does not find lets nobody in.
   *
   * `POST /v1/invites/{code}/accept`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `insufficient_scope`
   * @throws {ForbiddenError} `csrf_rejected`
   * @throws {NotFoundError} `not_found`
   */
  acceptInvite(code: string, options?: CallOptions): ApiCall<ConversationResult>

  /**
   * Make an invite to a group.
   *
   * Whoever has its code may join. For owners and admins, and for every member of a group that says so (`allowInvites`); at most 100 at a time. It ends for good when you may not invite any more.
   *
   * `POST /v1/conversations/{conversationId}/invites`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `forbidden`
   * @throws {ForbiddenError} `insufficient_scope`
   * @throws {ForbiddenError} `csrf_rejected`
   * @throws {NotFoundError} `not_found`
   * @throws {ConflictError} `conflict`
   */
  createInvite(conversationId: string, body?: CreateInviteRequest, options?: CallOptions): ApiCall<InviteResult>

  /**
   * List invites to a group.
   *
   * Those that work, the latest first: owners and admins see all, other members their own where they may invite.
   *
   * `GET /v1/conversations/{conversationId}/invites`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `forbidden`
   * @throws {NotFoundError} `not_found`
   */
  listInvites(conversationId: string, query?: ConversationsListInvitesQuery, options?: CallOptions): PagedCall<Invite>

  /**
   * See what an invite leads to.
   *
   * One that has expired, is used up or revoked, whose maker has left or may not invite any more, or whose group is archived or closed, is `not_found`.
   *
   * `GET /v1/invites/{code}`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {NotFoundError} `not_found`
   */
  getInvite(code: string, options?: CallOptions): ApiCall<InvitePreview>

  /**
   * Join a public group.
   *
   * A member already stays as they are. What is private, archived or closed is `not_found` to whoever is no member.
   *
   * `POST /v1/conversations/{conversationId}/join`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `insufficient_scope`
   * @throws {ForbiddenError} `csrf_rejected`
   * @throws {NotFoundError} `not_found`
   */
  join(conversationId: string, options?: CallOptions): ApiCall<ConversationResult>

  /**
   * List public groups.
   *
   * Groups that everybody may join, the newest first. For one page 1,000 groups are looked at, so a page may hold fewer than `limit`, or none, and `hasMore` still be true.
   *
   * `GET /v1/conversations/public`
   *
   * @throws {ValidationError} `validation_error`
   */
  listPublic(query?: ConversationsListPublicQuery, options?: CallOptions): PagedCall<PublicGroup>

  /**
   * Revoke an invite.
   *
   * Your own, or as owner or admin anybody’s. Revoking one that is not there succeeds.
   *
   * `DELETE /v1/conversations/{conversationId}/invites/{inviteId}`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `forbidden`
   * @throws {ForbiddenError} `insufficient_scope`
   * @throws {ForbiddenError} `csrf_rejected`
   * @throws {NotFoundError} `not_found`
   */
  revokeInvite(conversationId: string, inviteId: string, options?: CallOptions): ApiCall<void>

  /**
   * Say up to where messages have reached your device.
   *
   * The members are told (event `delivered`). In conversations of more than 32 members nothing is marked and nobody told, since each of many members would be told of each of the others: the answer is what stands.
   *
   * `POST /v1/conversations/{conversationId}/delivered`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `insufficient_scope`
   * @throws {ForbiddenError} `csrf_rejected`
   * @throws {NotFoundError} `not_found`
   */
  markDelivered(conversationId: string, body: MarkDeliveredRequest, options?: CallOptions): ApiCall<DeliveryMark>

  /**
   * Mark as read up to a message.
   *
   * What was marked one by one beyond it melts into it. The members are told (event `read`); neither `updatedAt` nor the place in the list changes.
   *
   * `POST /v1/conversations/{conversationId}/read`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `insufficient_scope`
   * @throws {ForbiddenError} `csrf_rejected`
   * @throws {NotFoundError} `not_found`
   */
  markRead(conversationId: string, body: MarkReadRequest, options?: CallOptions): ApiCall<ReadMark>

  /**
   * Send a message.
   *
   * The message is stored before the answer. Whoever writes has read what was said before: your read mark moves to the message. A retry with the same `clientId` (or `Idempotency-Key` header) returns the message that the first one stored, as it is now, whatever else it says; the same `clientId` for another conversation is a `conflict`. To somebody who has blocked you it is `forbidden`, and `not_found` to one whose account is erased. Of a message that was deleted meanwhile, a retry returns what is left of it. Attachments are sent with their message or not at all; `validation_error` for files that are not yours or were sent already. To a conversation that is archived or closed it is a `conflict`.
   *
   * `POST /v1/conversations/{conversationId}/messages`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `forbidden`
   * @throws {ForbiddenError} `insufficient_scope`
   * @throws {ForbiddenError} `csrf_rejected`
   * @throws {NotFoundError} `not_found`
   * @throws {ConflictError} `conflict`
   */
  sendMessage(conversationId: string, body?: SendMessageRequest, options?: CallOptions): ApiCall<SendMessageResult>
}

/** Sending, reading and changing messages, reactions and receipts */
export interface Messages {
  /**
   * Get a message.
   *
   * `GET /v1/messages/{messageId}`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {NotFoundError} `not_found`
   */
  get(messageId: string, options?: CallOptions): ApiCall<GetMessageResult>

  /**
   * Delete a message.
   *
   * For its sender, and for owners and admins of a group. All that it held is gone for good: content, earlier versions, reactions, and files with their bytes; its number stays, so that the order has no hole. It can be deleted wherever it can be read, also in a conversation that is archived or closed. Deleting it again succeeds.
   *
   * `DELETE /v1/messages/{messageId}`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `forbidden`
   * @throws {ForbiddenError} `insufficient_scope`
   * @throws {ForbiddenError} `csrf_rejected`
   * @throws {NotFoundError} `not_found`
   */
  delete(messageId: string, options?: CallOptions): ApiCall<void>

  /**
   * Edit a message.
   *
   * For its sender, while a member. What it said before is kept: `messages.listHistory`. Its answers show the beginning of what it says now, under the numbers that they have. A `conflict` when it is deleted, was edited 100 times, or the conversation is archived or closed; `forbidden` also in a direct conversation whose other member has blocked you. What changes nothing leaves it as it is.
   *
   * `PATCH /v1/messages/{messageId}`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `forbidden`
   * @throws {ForbiddenError} `insufficient_scope`
   * @throws {ForbiddenError} `csrf_rejected`
   * @throws {NotFoundError} `not_found`
   * @throws {ConflictError} `conflict`
   */
  update(messageId: string, body?: UpdateMessageRequest, options?: CallOptions): ApiCall<MessageResult>

  /**
   * List messages.
   *
   * Newest first. `before` a message pages towards the past; `after` a message pages towards the present, oldest first. `cursor` continues the page it came from, of the same conversation. A message id that is not in this conversation, or is from before what you may see of it, is `not_found`. With `status`, `type` or `senderId` at most 10,000 messages are looked at for one page, fewer in large groups: a page may then be short, or empty, while `hasMore` is true. Go on until it is false.
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
   * Finds or makes the direct conversation with the recipient, and makes one that is archived or closed active again. The message is stored before the answer. Whoever writes has read what was said before: your read mark moves to the message. A retry with the same `clientId` (or `Idempotency-Key` header) returns the message that the first one stored, as it is now, whatever else it says; the same `clientId` for another conversation is a `conflict`. To somebody who has blocked you it is `forbidden`, and `not_found` to one whose account is erased. Of a message that was deleted meanwhile, a retry returns what is left of it. Attachments are sent with their message or not at all; `validation_error` for files that are not yours or were sent already.
   *
   * `POST /v1/messages`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `forbidden`
   * @throws {ForbiddenError} `insufficient_scope`
   * @throws {ForbiddenError} `csrf_rejected`
   * @throws {NotFoundError} `not_found`
   * @throws {ConflictError} `conflict`
   */
  send(body: SendDirectMessageRequest, options?: CallOptions): ApiCall<SendMessageResult>

  /**
   * List what a message said before.
   *
   * The latest first, without what it says now; for everybody who may read the message. Nothing for one that was never edited, or is deleted.
   *
   * `GET /v1/messages/{messageId}/history`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {NotFoundError} `not_found`
   */
  listHistory(messageId: string, query?: MessagesListHistoryQuery, options?: CallOptions): PagedCall<MessageVersion>

  /**
   * React to a message.
   *
   * Reacting again with the same changes nothing. A `conflict` when the message is deleted, has reactions of 20 kinds and this would be one more, or the conversation is archived or closed; `forbidden` in a direct conversation whose other member has blocked you.
   *
   * `PUT /v1/messages/{messageId}/reactions/{emoji}`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `forbidden`
   * @throws {ForbiddenError} `insufficient_scope`
   * @throws {ForbiddenError} `csrf_rejected`
   * @throws {NotFoundError} `not_found`
   * @throws {ConflictError} `conflict`
   */
  addReaction(messageId: string, emoji: string, options?: CallOptions): ApiCall<MessageResult>

  /**
   * Take back a reaction.
   *
   * Your own; one that is not there is none to take back, which is no error.
   *
   * `DELETE /v1/messages/{messageId}/reactions/{emoji}`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `insufficient_scope`
   * @throws {ForbiddenError} `csrf_rejected`
   * @throws {NotFoundError} `not_found`
   */
  removeReaction(messageId: string, emoji: string, options?: CallOptions): ApiCall<void>

  /**
   * List who reacted to a message.
   *
   * Kind by kind, and within a kind in the order in which they came.
   *
   * `GET /v1/messages/{messageId}/reactions`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {NotFoundError} `not_found`
   */
  listReactions(messageId: string, query?: MessagesListReactionsQuery, options?: CallOptions): PagedCall<UserReaction>

  /**
   * List how far a message has come.
   *
   * Member by member, in the order in which they joined, without its sender and those for whom it is not, since they joined later. What is read is delivered.
   *
   * `GET /v1/messages/{messageId}/receipts`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {NotFoundError} `not_found`
   */
  listReceipts(messageId: string, query?: MessagesListReceiptsQuery, options?: CallOptions): PagedCall<Receipt>

  /**
   * Mark messages as read.
   *
   * Exactly these, of one or several conversations: all or, when you may not see one of them, none. What lies between them stays unread; as soon as nothing does, they melt into the mark of their conversation. A `conflict` when more than 100 ranges of a conversation would be marked so: mark up to a message with `conversations.markRead`.
   *
   * `POST /v1/messages/read`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `insufficient_scope`
   * @throws {ForbiddenError} `csrf_rejected`
   * @throws {NotFoundError} `not_found`
   * @throws {ConflictError} `conflict`
   */
  markRead(body: MarkMessagesReadRequest, options?: CallOptions): ApiCall<MarkMessagesReadResult>
}

/** Uploading files, sending them, and getting their bytes */
export interface Files {
  /**
   * Make a link to a file.
   *
   * An address that browsers can show by itself, for a while. Whoever has it sees what you may see then: it ends when you may not see the file any more, but not with the session or the API key that made it. For the members of the conversation who may see the message that has it; until it is sent, for who uploaded it.
   *
   * `POST /v1/files/{fileId}/link`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `csrf_rejected`
   * @throws {NotFoundError} `not_found`
   */
  createLink(fileId: string, body?: CreateFileLinkRequest, options?: CallOptions): ApiCall<FileLink>

  /**
   * Delete a file that was not sent.
   *
   * For who uploaded it. One that a message has goes with the message: deleting it here is a `conflict`.
   *
   * `DELETE /v1/files/{fileId}`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `forbidden`
   * @throws {ForbiddenError} `insufficient_scope`
   * @throws {ForbiddenError} `csrf_rejected`
   * @throws {NotFoundError} `not_found`
   * @throws {ConflictError} `conflict`
   */
  delete(fileId: string, options?: CallOptions): ApiCall<void>

  /**
   * Get what is known of a file.
   *
   * For the members of the conversation who may see the message that has it; until it is sent, for who uploaded it.
   *
   * `GET /v1/files/{fileId}`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {NotFoundError} `not_found`
   */
  get(fileId: string, options?: CallOptions): ApiCall<StoredFile>

  /**
   * Get the bytes of a file.
   *
   * For the members of the conversation who may see the message that has it; until it is sent, for who uploaded it. `Range` (one range), `If-Range` and `If-None-Match` are heeded. PNG, JPEG, WebP, GIF, AVIF, audio, video and PDF may be shown where they are; all else, HEIC and HEIF too, comes as an attachment. A process of the server sends 64 at once to one user: more are `rate_limit_exceeded`. Whoever takes nothing for 30 seconds is cut off, and may go on by `Range` where that is heeded.
   *
   * `GET /v1/files/{fileId}/content`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {NotFoundError} `not_found`
   * @throws {ParleyError} `range_not_satisfiable`
   */
  getContent(fileId: string, query?: FilesGetContentQuery, options?: CallOptions): ApiCall<Response>

  /**
   * Upload a file.
   *
   * Then send it: `attachments` of a message takes its id. What is not sent within a day is deleted. What the file is, its bytes say, whatever it is called: pictures, audio, video, PDF, ZIP, office documents; plain text, CSV, Markdown and JSON also by the end of the name; and never what a browser or a shell would run: HTML, SVG, XML, what begins with `#!`, programs. A name that ends as another kind of file does gets the right end: a picture that is called `x.html` is `x.html.png`. Of a picture of up to 32 MiB that can be read the pixels are counted, and up to 40 megapixels it gets a thumbnail, unless making that fails or takes more than 15 seconds; of any other one nothing is known but its type. The bytes are kept as they come, and with them what a camera wrote, such as where it was; thumbnails say nothing of that. A process of the server takes four uploads of one user at once: more are `rate_limit_exceeded`. One that is silent for 30 seconds, or takes more than an hour, is a `validation_error`. A retry makes another file: the one whose answer was lost is deleted within a day. All that you have uploaded counts towards your quota, sent or not, with its size and without thumbnails, for as long as it is kept: room is made by deleting a file that was not sent, or a message that has files, whoever or whatever deletes it.
   *
   * `POST /v1/files`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `insufficient_scope`
   * @throws {ForbiddenError} `csrf_rejected`
   * @throws {ConflictError} `quota_exceeded`
   */
  upload(body: UploadFileRequest, options?: UploadOptions): ApiCall<StoredFile>
}

/** Finding messages and conversations */
export interface Search {
  /**
   * Search conversations.
   *
   * Yours, by what is said in them, and the latest 1,000 by title, summary, description and the name of the other one. Words are found in any letter case, with or without accents, in the forms of the language that the server is set to; where nothing has all of them, up to three of those that are in nothing you may read also with one letter wrong: left out, added, mistaken or changed for its neighbour, in words of 4–20 letters. Scripts without spaces between words (Thai, Lao, Myanmar, Khmer, kana, Han) and Hangul are found by any letters that follow each other, in the first 2,000 characters of a text, and never with a letter wrong; a single letter of theirs, wherever it stands. Without a word to look for nothing is found. A cursor goes on with the same search only. When too many search at once, or it takes longer than five seconds, the answer is `unavailable`. Titles and names are found by likeness and by parts of words, too, unless they have a word that must not be there. The score is the best of: likeness of title or name, and at least 0.9 where it has the words or what was searched for is a part of it; 0.81 where summary or description have the words; eight tenths of the score of the best message. Of those that are found by one of the former the likeliest 200 are compared.
   *
   * `GET /v1/search/conversations`
   *
   * @throws {ValidationError} `validation_error`
   */
  conversations(query?: SearchConversationsQuery, options?: CallOptions): PagedCall<FoundConversation>

  /**
   * Search messages.
   *
   * In all that you may read, archived conversations too. Words are found in any letter case, with or without accents, in the forms of the language that the server is set to; where nothing has all of them, up to three of those that are in nothing you may read also with one letter wrong: left out, added, mistaken or changed for its neighbour, in words of 4–20 letters. Scripts without spaces between words (Thai, Lao, Myanmar, Khmer, kana, Han) and Hangul are found by any letters that follow each other, in the first 2,000 characters of a text, and never with a letter wrong; a single letter of theirs, wherever it stands. Without a word to look for nothing is found. A cursor goes on with the same search only. When too many search at once, or it takes longer than five seconds, the answer is `unavailable`. Of what fits the latest 200 are compared. The score is `r / (r + 0.1)`, where `r` is how often and how close together the words stand (PostgreSQL's cover density), and half of it where a letter was taken to be wrong. A conversation that you may not read is `not_found`.
   *
   * `GET /v1/search/messages`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {NotFoundError} `not_found`
   */
  messages(query?: SearchMessagesQuery, options?: CallOptions): PagedCall<FoundMessage>
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
   * @throws {ForbiddenError} `csrf_rejected`
   */
  pull(body?: PullRequest, options?: CallOptions): ApiCall<PullResult>
}

/** What happened to accounts */
export interface Security {
  /**
   * Count security events.
   *
   * By type, severity and day: those about yourself, or about everybody for administrators. Without `from` the last 30 days, today included; at most 366 days.
   *
   * `GET /v1/security/stats`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {NotFoundError} `not_found`
   */
  getStats(query?: SecurityGetStatsQuery, options?: CallOptions): ApiCall<SecurityStats>

  /**
   * List security events.
   *
   * The newest first: those about yourself, or about everybody for administrators and their API keys of scope `admin`. They are kept for a year.
   *
   * `GET /v1/security/events`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {NotFoundError} `not_found`
   */
  listEvents(query?: SecurityListEventsQuery, options?: CallOptions): PagedCall<SecurityEvent>
}

/** For administrators */
export interface Admin {
  /**
   * Get a user as an administrator.
   *
   * `GET /v1/admin/users/{userId}`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `forbidden`
   * @throws {ForbiddenError} `insufficient_scope`
   * @throws {NotFoundError} `not_found`
   */
  getUser(userId: string, options?: CallOptions): ApiCall<AdminUser>

  /**
   * List users as an administrator.
   *
   * Those who registered last come first. Erased accounts are left out.
   *
   * `GET /v1/admin/users`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `forbidden`
   * @throws {ForbiddenError} `insufficient_scope`
   */
  listUsers(query?: AdminListUsersQuery, options?: CallOptions): PagedCall<AdminUser>

  /**
   * End all sessions of a user.
   *
   * The user may sign in again; API keys stay as they are. It goes into the audit log.
   *
   * `POST /v1/admin/users/{userId}/revoke-sessions`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `forbidden`
   * @throws {ForbiddenError} `insufficient_scope`
   * @throws {ForbiddenError} `csrf_rejected`
   * @throws {NotFoundError} `not_found`
   */
  revokeSessions(userId: string, body?: RevokeUserSessionsRequest, options?: CallOptions): ApiCall<RevokeAllResult>

  /**
   * List what administrators did.
   *
   * The newest first.
   *
   * `GET /v1/admin/audit-log`
   *
   * @throws {ValidationError} `validation_error`
   * @throws {ForbiddenError} `forbidden`
   * @throws {ForbiddenError} `insufficient_scope`
   */
  listAuditLog(query?: AdminListAuditLogQuery, options?: CallOptions): PagedCall<AuditLogEntry>
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
  readonly apiKeys: ApiKeys
  readonly users: Users
  readonly conversations: Conversations
  readonly messages: Messages
  readonly files: Files
  readonly search: Search
  readonly sync: Sync
  readonly security: Security
  readonly admin: Admin
  readonly system: System

  constructor(call: Call) {
    this.auth = auth(call)
    this.apiKeys = apiKeys(call)
    this.users = users(call)
    this.conversations = conversations(call)
    this.messages = messages(call)
    this.files = files(call)
    this.search = search(call)
    this.sync = sync(call)
    this.security = security(call)
    this.admin = admin(call)
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
  changePassword: (body, options) => call({ id: 'auth.changePassword', method: 'POST', path: '/v1/auth/password/change', body }, options),
  forgotPassword: (body, options) => call({ id: 'auth.forgotPassword', method: 'POST', path: '/v1/auth/password/forgot', body, public: true }, options),
  resetPassword: (body, options) => call({ id: 'auth.resetPassword', method: 'POST', path: '/v1/auth/password/reset', body, public: true }, options),
  exchangeOAuth: (body, options) => call({ id: 'auth.exchangeOAuth', method: 'POST', path: '/v1/auth/oauth/exchange', body, public: true }, options),
  listOAuthProviders: (options) => call({ id: 'auth.listOAuthProviders', method: 'GET', path: '/v1/auth/oauth/providers', public: true }, options),
  listSessions: (query, options) => paged((next) => call({ id: 'auth.listSessions', method: 'GET', path: '/v1/auth/sessions', query: { ...query, ...next } }, options)),
  revokeAll: (body = {}, options) => call({ id: 'auth.revokeAll', method: 'POST', path: '/v1/auth/revoke-all', body, repeatable: true }, options),
  revokeSession: (sessionId, options) => call({ id: 'auth.revokeSession', method: 'DELETE', path: path`/v1/auth/sessions/${sessionId}` }, options),
  startCookieSession: (body, options) => call({ id: 'auth.startCookieSession', method: 'POST', path: '/v1/auth/cookie', body, public: true }, options),
})

const apiKeys = (call: Call): ApiKeys => ({
  create: (body, options) => call({ id: 'apiKeys.create', method: 'POST', path: '/v1/api-keys', body }, options),
  list: (query, options) => paged((next) => call({ id: 'apiKeys.list', method: 'GET', path: '/v1/api-keys', query: { ...query, ...next } }, options)),
  revoke: (apiKeyId, options) => call({ id: 'apiKeys.revoke', method: 'DELETE', path: path`/v1/api-keys/${apiKeyId}` }, options),
})

const users = (call: Call): Users => ({
  get: (userId, options) => call({ id: 'users.get', method: 'GET', path: path`/v1/users/${userId}` }, options),
  delete: (userId, body = {}, options) => call({ id: 'users.delete', method: 'DELETE', path: path`/v1/users/${userId}`, body, repeatable: true }, options),
  update: (userId, body = {}, options) => call({ id: 'users.update', method: 'PATCH', path: path`/v1/users/${userId}`, body, repeatable: true }, options),
  getMe: (options) => call({ id: 'users.getMe', method: 'GET', path: '/v1/users/me' }, options),
  updateMe: (body = {}, options) => call({ id: 'users.updateMe', method: 'PATCH', path: '/v1/users/me', body, repeatable: true }, options),
  deleteMe: (body, options) => call({ id: 'users.deleteMe', method: 'DELETE', path: '/v1/users/me', body, repeatable: true }, options),
  list: (query, options) => paged((next) => call({ id: 'users.list', method: 'GET', path: '/v1/users', query: { ...query, ...next } }, options)),
  create: (body, options) => call({ id: 'users.create', method: 'POST', path: '/v1/users', body }, options),
  deleteAvatar: (options) => call({ id: 'users.deleteAvatar', method: 'DELETE', path: '/v1/users/me/avatar' }, options),
  setAvatar: (body, options) => call({ id: 'users.setAvatar', method: 'PUT', path: '/v1/users/me/avatar', body, form: true }, options),
  setPresence: (body, options) => call({ id: 'users.setPresence', method: 'PUT', path: '/v1/users/me/presence', body }, options),
  block: (userId, options) => call({ id: 'users.block', method: 'PUT', path: path`/v1/users/${userId}/block` }, options),
  unblock: (userId, options) => call({ id: 'users.unblock', method: 'DELETE', path: path`/v1/users/${userId}/block` }, options),
  listBlocked: (query, options) => paged((next) => call({ id: 'users.listBlocked', method: 'GET', path: '/v1/users/me/blocked', query: { ...query, ...next } }, options)),
  exportMe: (options) => call({ id: 'users.exportMe', method: 'GET', path: '/v1/users/me/export' }, options),
})

const conversations = (call: Call): Conversations => ({
  addMembers: (conversationId, body, options) => call({ id: 'conversations.addMembers', method: 'POST', path: path`/v1/conversations/${conversationId}/members`, body, repeatable: true }, options),
  listMembers: (conversationId, query, options) => paged((next) => call({ id: 'conversations.listMembers', method: 'GET', path: path`/v1/conversations/${conversationId}/members`, query: { ...query, ...next } }, options)),
  archive: (conversationId, options) => call({ id: 'conversations.archive', method: 'DELETE', path: path`/v1/conversations/${conversationId}` }, options),
  get: (conversationId, options) => call({ id: 'conversations.get', method: 'GET', path: path`/v1/conversations/${conversationId}` }, options),
  update: (conversationId, body = {}, options) => call({ id: 'conversations.update', method: 'PATCH', path: path`/v1/conversations/${conversationId}`, body, repeatable: true }, options),
  create: (body, options) => call({ id: 'conversations.create', method: 'POST', path: '/v1/conversations', body: withClientId(body), repeatable: true }, options),
  list: (query, options) => paged((next) => call({ id: 'conversations.list', method: 'GET', path: '/v1/conversations', query: { ...query, ...next } }, options)),
  removeMember: (conversationId, userId, options) => call({ id: 'conversations.removeMember', method: 'DELETE', path: path`/v1/conversations/${conversationId}/members/${userId}` }, options),
  updateMember: (conversationId, userId, body, options) => call({ id: 'conversations.updateMember', method: 'PATCH', path: path`/v1/conversations/${conversationId}/members/${userId}`, body, repeatable: true }, options),
  setTyping: (conversationId, body, options) => call({ id: 'conversations.setTyping', method: 'POST', path: path`/v1/conversations/${conversationId}/typing`, body, repeatable: true }, options),
  updateMembership: (conversationId, body = {}, options) => call({ id: 'conversations.updateMembership', method: 'PATCH', path: path`/v1/conversations/${conversationId}/membership`, body, repeatable: true }, options),
  acceptInvite: (code, options) => call({ id: 'conversations.acceptInvite', method: 'POST', path: path`/v1/invites/${code}/accept`, repeatable: true }, options),
  createInvite: (conversationId, body = {}, options) => call({ id: 'conversations.createInvite', method: 'POST', path: path`/v1/conversations/${conversationId}/invites`, body }, options),
  listInvites: (conversationId, query, options) => paged((next) => call({ id: 'conversations.listInvites', method: 'GET', path: path`/v1/conversations/${conversationId}/invites`, query: { ...query, ...next } }, options)),
  getInvite: (code, options) => call({ id: 'conversations.getInvite', method: 'GET', path: path`/v1/invites/${code}` }, options),
  join: (conversationId, options) => call({ id: 'conversations.join', method: 'POST', path: path`/v1/conversations/${conversationId}/join`, repeatable: true }, options),
  listPublic: (query, options) => paged((next) => call({ id: 'conversations.listPublic', method: 'GET', path: '/v1/conversations/public', query: { ...query, ...next } }, options)),
  revokeInvite: (conversationId, inviteId, options) => call({ id: 'conversations.revokeInvite', method: 'DELETE', path: path`/v1/conversations/${conversationId}/invites/${inviteId}` }, options),
  markDelivered: (conversationId, body, options) => call({ id: 'conversations.markDelivered', method: 'POST', path: path`/v1/conversations/${conversationId}/delivered`, body, repeatable: true }, options),
  markRead: (conversationId, body, options) => call({ id: 'conversations.markRead', method: 'POST', path: path`/v1/conversations/${conversationId}/read`, body, repeatable: true }, options),
  sendMessage: (conversationId, body = {}, options) => call({ id: 'conversations.sendMessage', method: 'POST', path: path`/v1/conversations/${conversationId}/messages`, body: withClientId(body), repeatable: true }, options),
})

const messages = (call: Call): Messages => ({
  get: (messageId, options) => call({ id: 'messages.get', method: 'GET', path: path`/v1/messages/${messageId}` }, options),
  delete: (messageId, options) => call({ id: 'messages.delete', method: 'DELETE', path: path`/v1/messages/${messageId}` }, options),
  update: (messageId, body = {}, options) => call({ id: 'messages.update', method: 'PATCH', path: path`/v1/messages/${messageId}`, body, repeatable: true }, options),
  list: (conversationId, query, options) => paged((next) => call({ id: 'messages.list', method: 'GET', path: path`/v1/conversations/${conversationId}/messages`, query: { ...query, ...next } }, options)),
  send: (body, options) => call({ id: 'messages.send', method: 'POST', path: '/v1/messages', body: withClientId(body), repeatable: true }, options),
  listHistory: (messageId, query, options) => paged((next) => call({ id: 'messages.listHistory', method: 'GET', path: path`/v1/messages/${messageId}/history`, query: { ...query, ...next } }, options)),
  addReaction: (messageId, emoji, options) => call({ id: 'messages.addReaction', method: 'PUT', path: path`/v1/messages/${messageId}/reactions/${emoji}` }, options),
  removeReaction: (messageId, emoji, options) => call({ id: 'messages.removeReaction', method: 'DELETE', path: path`/v1/messages/${messageId}/reactions/${emoji}` }, options),
  listReactions: (messageId, query, options) => paged((next) => call({ id: 'messages.listReactions', method: 'GET', path: path`/v1/messages/${messageId}/reactions`, query: { ...query, ...next } }, options)),
  listReceipts: (messageId, query, options) => paged((next) => call({ id: 'messages.listReceipts', method: 'GET', path: path`/v1/messages/${messageId}/receipts`, query: { ...query, ...next } }, options)),
  markRead: (body, options) => call({ id: 'messages.markRead', method: 'POST', path: '/v1/messages/read', body, repeatable: true }, options),
})

const files = (call: Call): Files => ({
  createLink: (fileId, body = {}, options) => call({ id: 'files.createLink', method: 'POST', path: path`/v1/files/${fileId}/link`, body, repeatable: true }, options),
  delete: (fileId, options) => call({ id: 'files.delete', method: 'DELETE', path: path`/v1/files/${fileId}` }, options),
  get: (fileId, options) => call({ id: 'files.get', method: 'GET', path: path`/v1/files/${fileId}` }, options),
  getContent: (fileId, query, options) => call({ id: 'files.getContent', method: 'GET', path: path`/v1/files/${fileId}/content`, raw: true, query }, options),
  upload: (body, options) => call({ id: 'files.upload', method: 'POST', path: '/v1/files', body, form: true }, options),
})

const search = (call: Call): Search => ({
  conversations: (query, options) => paged((next) => call({ id: 'search.conversations', method: 'GET', path: '/v1/search/conversations', query: { ...query, ...next } }, options)),
  messages: (query, options) => paged((next) => call({ id: 'search.messages', method: 'GET', path: '/v1/search/messages', query: { ...query, ...next } }, options)),
})

const sync = (call: Call): Sync => ({
  pull: (body = {}, options) => call({ id: 'sync.pull', method: 'POST', path: '/v1/sync', body, repeatable: true }, options),
})

const security = (call: Call): Security => ({
  getStats: (query, options) => call({ id: 'security.getStats', method: 'GET', path: '/v1/security/stats', query }, options),
  listEvents: (query, options) => paged((next) => call({ id: 'security.listEvents', method: 'GET', path: '/v1/security/events', query: { ...query, ...next } }, options)),
})

const admin = (call: Call): Admin => ({
  getUser: (userId, options) => call({ id: 'admin.getUser', method: 'GET', path: path`/v1/admin/users/${userId}` }, options),
  listUsers: (query, options) => paged((next) => call({ id: 'admin.listUsers', method: 'GET', path: '/v1/admin/users', query: { ...query, ...next } }, options)),
  revokeSessions: (userId, body = {}, options) => call({ id: 'admin.revokeSessions', method: 'POST', path: path`/v1/admin/users/${userId}/revoke-sessions`, body, repeatable: true }, options),
  listAuditLog: (query, options) => paged((next) => call({ id: 'admin.listAuditLog', method: 'GET', path: '/v1/admin/audit-log', query: { ...query, ...next } }, options)),
})

const system = (call: Call): System => ({
  asyncapi: (options) => call({ id: 'system.asyncapi', method: 'GET', path: '/asyncapi.json', public: true }, options),
  health: (options) => call({ id: 'system.health', method: 'GET', path: '/health', public: true }, options),
  metrics: (options) => call({ id: 'system.metrics', method: 'GET', path: '/metrics', public: true }, options),
  openapi: (options) => call({ id: 'system.openapi', method: 'GET', path: '/openapi.json', public: true }, options),
  postman: (options) => call({ id: 'system.postman', method: 'GET', path: '/docs/postman.json', public: true }, options),
  ready: (options) => call({ id: 'system.ready', method: 'GET', path: '/ready', public: true, accepts: [503] }, options),
})

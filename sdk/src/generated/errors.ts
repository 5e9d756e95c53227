// Generated from openapi/openapi.json by `npm run generate`. Changes made here are lost.

export const statuses: Record<string, number> = {
  account_suspended: 403,
  conflict: 409,
  csrf_rejected: 403,
  email_not_verified: 403,
  forbidden: 403,
  insufficient_scope: 403,
  internal_error: 500,
  invalid_code: 401,
  invalid_credentials: 401,
  invalid_token: 401,
  malformed_json: 400,
  not_found: 404,
  payload_too_large: 413,
  rate_limit_exceeded: 429,
  token_family_compromised: 403,
  unauthorized: 401,
  unavailable: 503,
  unsupported_media_type: 415,
  validation_error: 400,
}

import type pg from 'pg'

/** What tells this database from every other one, copies of it on other servers among them. */
export async function readIdentity(pool: pg.Pool): Promise<string> {
  const { rows } = await pool.query<{ identity: string }>(
    "select system_identifier || '-' || (select oid from pg_database where datname = current_database()) as identity from pg_control_system()",
  )
  const [{ identity } = { identity: '' }] = rows
  return identity
}

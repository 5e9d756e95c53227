-- What messages say, as the full text search has it. The column is filled by a trigger, not generated: so that a table of many messages is
-- not rewritten here, that what is deleted is in no index, and that a change of the language can go through them in batches. Messages
-- that are there already are indexed in the background. Adding the column takes no time; the indexes read their tables once.
CREATE EXTENSION IF NOT EXISTS unaccent;
--> statement-breakpoint
-- The language is set by the server (SEARCH_LANGUAGE); `search_before` is the one before, until all messages are indexed anew.
CREATE TEXT SEARCH CONFIGURATION "search" (COPY = simple);
--> statement-breakpoint
CREATE TEXT SEARCH CONFIGURATION "search_before" (COPY = simple);
--> statement-breakpoint
ALTER TEXT SEARCH CONFIGURATION "search" ALTER MAPPING FOR asciiword, word, numword, asciihword, hword, numhword, hword_asciipart, hword_part, hword_numpart WITH unaccent, simple;
--> statement-breakpoint
ALTER TEXT SEARCH CONFIGURATION "search_before" ALTER MAPPING FOR asciiword, word, numword, asciihword, hword, numhword, hword_asciipart, hword_part, hword_numpart WITH unaccent, simple;
--> statement-breakpoint
-- One row. `indexed`: every message is indexed in this language.
CREATE TABLE "search_index" (
	"only" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"language" text NOT NULL,
	"indexed" boolean NOT NULL,
	CONSTRAINT "search_index_only" CHECK ("only")
);
--> statement-breakpoint
INSERT INTO "search_index" ("language", "indexed") SELECT 'simple', NOT EXISTS (SELECT FROM "messages");
--> statement-breakpoint
-- Scripts without spaces between words (Thai, Lao, Myanmar, Khmer, kana, Han): every two neighbours are a word, and the last one is, too.
-- A word is written as the numbers of its letters, which no parser takes apart and no language inflects: see src/features/search/query.ts.
CREATE FUNCTION search_unbroken(content text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT string_agg(CASE WHEN own IS NULL THEN letter ELSE ' j' || own || 'x' || coalesce('j' || next || 'x', '') || ' ' END, '' ORDER BY place)
	FROM (
		SELECT letter, place, own, lead(own) OVER (ORDER BY place) AS next
		FROM (
			SELECT letter, place, CASE WHEN letter ~ '[\u0E00-\u0EFF\u1000-\u109F\u1780-\u17FF\u3005-\u3007\u3040-\u30FF\u31F0-\u31FF\u3400-\u4DBF\u4E00-\u9FFF\uF900-\uFAFF\uFF66-\uFF9F\U00020000-\U0003FFFF]' THEN ascii(letter) END AS own
			FROM string_to_table(content, NULL) WITH ORDINALITY AS letters (letter, place)
		) coded
	) paired
$$;
--> statement-breakpoint
-- Words are runs of letters and digits: what the parser would take for an address, a path, a tag or a sign is taken apart.
CREATE FUNCTION search_plain(content text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT translate(content, E'-/@.:_&+~=#%?<>\x01\x02', '                 ')
$$;
--> statement-breakpoint
CREATE FUNCTION search_terms(content text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT CASE
		WHEN content ~ '[\u0E00-\u0EFF\u1000-\u109F\u1780-\u17FF\u3005-\u3007\u3040-\u30FF\u31F0-\u31FF\u3400-\u4DBF\u4E00-\u9FFF\uF900-\uFAFF\uFF66-\uFF9F\U00020000-\U0003FFFF]' THEN to_tsvector('search', search_unbroken(search_plain(content)))
		WHEN content ~ '[<>]|\S[-/@.:_&+~=#%?]\S|[-+.]\d' THEN to_tsvector('search', search_plain(content))
		ELSE to_tsvector('search', content)
	END
$$;
--> statement-breakpoint
CREATE FUNCTION search_index_message() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.search := CASE WHEN NEW.deleted_at IS NULL AND NEW.content <> '' THEN search_terms(NEW.content) END;
	RETURN NEW;
END $$;
--> statement-breakpoint
ALTER TABLE "messages" ADD COLUMN "search" tsvector;
--> statement-breakpoint
CREATE TRIGGER "messages_search" BEFORE INSERT OR UPDATE OF "content", "deleted_at" ON "messages" FOR EACH ROW EXECUTE FUNCTION search_index_message();
--> statement-breakpoint
-- What is new waits in a list that every search reads too; the server has it sorted in before a send would have to (gin_pending_list_limit, in kB).
CREATE INDEX "messages_search" ON "messages" USING gin ("search") WITH (gin_pending_list_limit = 32768) WHERE "search" IS NOT NULL;

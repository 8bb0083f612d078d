import { attempt } from '../../base/attempt.ts';
import { isList, isRecord, own } from '../../base/json/json.ts';
import { readJson } from '../../base/json/json-reader.ts';
import { RegistryError } from './registry-error.ts';
import type { Session } from './requests.ts';

const PAGE_SIZE = 1000;
const MAX_PAGES = 1000;
const MAX_PAGE_BYTES = 4 * 1024 * 1024;

/** All tags of the session's repository. The registry lists them in pages, and links each with the next. */
export async function readTags(session: Session, signal?: AbortSignal): Promise<readonly string[]> {
	const tags: string[] = [];
	let target: string | URL = 'tags/list';
	let query: Readonly<Record<string, string>> = { n: String(PAGE_SIZE) };
	for (let page = 0; page < MAX_PAGES; page += 1) {
		const answer = await session.succeed({ method: 'GET', target, query, ...(signal && { signal }) });
		const text = (await answer.read(MAX_PAGE_BYTES)).toString('utf8');
		tags.push(...tagsIn(text));
		const link = /<([^<>]*)>\s*;[^,]*rel="?next"?/.exec(String(answer.headers.link ?? ''))?.[1];
		const next = link === undefined ? undefined : URL.parse(link, answer.request.url);
		if (!next || next.origin !== answer.request.url.origin) return tags;
		target = next;
		query = {};
	}
	return tags;
}

function tagsIn(text: string): readonly string[] {
	const value = attempt(() => readJson(text, { values: 100_000, depth: 8 }).value);
	if (!isRecord(value)) throw new RegistryError('the list of tags is malformed', { kind: 'invalid' });
	const tags = own(value, 'tags') ?? [];
	return isList(tags) ? tags.filter((tag) => typeof tag === 'string') : [];
}

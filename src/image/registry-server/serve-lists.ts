import { quote } from '../../base/quote.ts';
import { MEDIA_TYPES } from '../manifests/media-types.ts';
import { digestIn, type RegistryCall, type RegistryReply } from './registry-call.ts';
import { RegistryProblem } from './registry-problem.ts';

/** Lists: tags, repositories, and manifests about another one (OCI distribution specification, "Content Discovery"). */

/** The tags of a repository. */
export async function listTags({ store, name, query }: RegistryCall): Promise<RegistryReply> {
	if (!(await store.repositories.exists(name)))
		throw new RegistryProblem('NAME_UNKNOWN', `there is no repository ${name}`, { detail: { name } });
	const { page, headers } = pageOf(await store.repositories.tags(name), query, `/v2/${name}/tags/list`);
	return jsonReply({ name, tags: page }, headers);
}

/** The names of all repositories (of Docker's registry; not in the specification). */
export async function listRepositories({ store, query }: RegistryCall): Promise<RegistryReply> {
	const { page, headers } = pageOf(await store.repositories.names(), query, '/v2/_catalog');
	return jsonReply({ repositories: page }, headers);
}

/** The manifests about the one with this digest, as an index. */
export async function listReferrers({ store, name, reference, query }: RegistryCall): Promise<RegistryReply> {
	const subject = digestIn(reference);
	const wanted = query.get('artifactType');
	const referrers = await store.repositories.referrers(name, subject);
	const manifests = referrers
		.filter(({ artifactType }) => wanted === null || artifactType === wanted)
		.map(({ mediaType, digest, size, artifactType, annotations }) => ({
			mediaType,
			digest,
			size,
			...(artifactType !== undefined && { artifactType }),
			...(annotations && { annotations }),
		}));
	return jsonReply(
		{ schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests },
		{
			'Content-Type': MEDIA_TYPES.index,
			...(wanted !== null && { 'OCI-Filters-Applied': 'artifactType' }),
		},
	);
}

interface Page {
	readonly page: readonly string[];
	readonly headers: Readonly<Record<string, string>>;
}

/** The page that the parameters `n` and `last` name, with the link to the next one. */
function pageOf(all: readonly string[], query: URLSearchParams, path: string): Page {
	const count = query.get('n');
	const last = query.get('last');
	if (count !== null && !/^\d{1,9}$/.test(count))
		throw new RegistryProblem(
			'PAGINATION_NUMBER_INVALID',
			`n must be a whole number, not ${quote(count.slice(0, 50))}`,
		);
	const rest = last === null ? all : all.filter((each) => each > last);
	const page = count === null ? rest : rest.slice(0, Number(count));
	const end = page.at(-1);
	if (page.length === rest.length || end === undefined) return { page, headers: {} };
	const next = `${path}?${new URLSearchParams({ n: count ?? '', last: end })}`;
	return { page, headers: { Link: `<${next}>; rel="next"` } };
}

function jsonReply(value: unknown, headers: Readonly<Record<string, string>>): RegistryReply {
	return {
		status: 200,
		headers: { 'Content-Type': 'application/json', ...headers },
		body: JSON.stringify(value),
	};
}

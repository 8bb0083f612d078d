import { quote } from '../../base/quote.ts';
import type { CallHandler } from './registry-call.ts';
import { RegistryProblem } from './registry-problem.ts';
import { deleteBlob, getBlob } from './serve-blobs.ts';
import { listReferrers, listRepositories, listTags } from './serve-lists.ts';
import { deleteManifest, getManifest, putManifest } from './serve-manifests.ts';
import { appendToUpload, cancelUpload, finishUpload, getUpload, startUpload } from './serve-uploads.ts';

/** The paths of the OCI distribution specification ("Endpoints"), and the functions that answer their methods. */

/** What a path names. */
export interface FoundRoute {
	readonly methods: ReadonlyMap<string, CallHandler>;
	readonly name: string;
	readonly reference: string;
}

/** A row of the table: the path behind `/v2/`, with the repository and the reference as its groups. */
interface Route {
	readonly path: RegExp;
	readonly methods: ReadonlyMap<string, CallHandler>;
}

const found: CallHandler = async () => ({
	status: 200,
	headers: { 'Content-Type': 'application/json' },
	body: '{}',
});

/** The first row that matches counts: repositories may have parts such as `blobs` or `tags` in their names. */
const ROUTES: readonly Route[] = [
	{ path: /^()()$/, methods: reads(found) },
	{ path: /^()_catalog()$/, methods: reads(listRepositories) },
	{ path: /^(.+)\/tags\/list()$/, methods: reads(listTags) },
	{ path: /^(.+)\/blobs\/uploads\/?()$/, methods: new Map([['POST', startUpload]]) },
	{
		path: /^(.+)\/blobs\/uploads\/([^/]+)$/,
		methods: new Map([
			['GET', getUpload],
			['PATCH', appendToUpload],
			['PUT', finishUpload],
			['DELETE', cancelUpload],
		]),
	},
	{
		path: /^(.+)\/blobs\/([^/]+)$/,
		methods: new Map([...reads(getBlob), ['DELETE', deleteBlob]]),
	},
	{
		path: /^(.+)\/manifests\/([^/]+)$/,
		methods: new Map([...reads(getManifest), ['PUT', putManifest], ['DELETE', deleteManifest]]),
	},
	{ path: /^(.+)\/referrers\/([^/]+)$/, methods: reads(listReferrers) },
];

function reads(handler: CallHandler): ReadonlyMap<string, CallHandler> {
	return new Map([
		['GET', handler],
		['HEAD', handler],
	]);
}

/** Finds what answers a path. Throws a {@link RegistryProblem} if there is no such path, or the name is malformed. */
export function routeOf(path: string): FoundRoute {
	const rest = /^\/v2(?:\/(.*))?$/.exec(path);
	for (const { path: form, methods } of rest ? ROUTES : []) {
		const parts = form.exec(rest?.[1] ?? '');
		if (!parts) continue;
		const [, name = '', reference = ''] = parts;
		if (name !== '' || form.source.startsWith('^(.+)')) checkName(name);
		return { methods, name, reference };
	}
	const shown = quote(path.slice(0, 200));
	throw new RegistryProblem('UNSUPPORTED', `${shown} is no path of a registry`, { status: 404 });
}

const MAX_NAME_LENGTH = 255;
const NAME_PART = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const NAME = new RegExp(`^${NAME_PART}(?:/${NAME_PART})*$`);

function checkName(name: string): void {
	if (name.length <= MAX_NAME_LENGTH && NAME.test(name)) return;
	throw new RegistryProblem(
		'NAME_INVALID',
		`${quote(name.slice(0, 200))} is not the name of a repository: up to ${MAX_NAME_LENGTH} lower-case letters, digits, and ".", "_", "-" or "/" between them`,
	);
}

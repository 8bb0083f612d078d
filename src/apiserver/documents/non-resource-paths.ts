import type { ResourceDefinition } from '../../api/contract/resource-definition.ts';
import { methodNotAllowed, unknownPath } from '../../api/errors/api-error.ts';
import { gitVersionOf, KUBERNETES_VERSION } from '../../api/kubernetes-version.ts';
import { viewResources, virtualResources } from '../../api/resources.ts';
import type { SigningKey } from '../access/tokens/signing-key.ts';
import type { Call } from '../request.ts';
import { type Answer, valueAnswer } from '../respond.ts';
import { Discovery } from './discovery.ts';
import { health } from './health.ts';
import { openIdDocument } from './open-id.ts';
import { OpenApi } from './openapi.ts';

/** Dependencies of {@link Documents}. */
export interface DocumentOptions {
	/** The resources whose objects are stored. */
	readonly resources: readonly ResourceDefinition[];
	/** Version of stint. */
	readonly version: string;
	/** Why the store is not available; undefined while it is. Health checks report it. */
	readonly failure: () => Error | undefined;
	/** The key that signs the tokens of ServiceAccounts. */
	readonly key: SigningKey;
	/** Returns the URL at which clients reach the server; undefined if there is none. */
	readonly url: () => string | undefined;
}

/** Answers the paths that name no resource: discovery, OpenAPI, version and health. */
export class Documents {
	readonly #options: DocumentOptions;
	readonly #discovery: Discovery;
	readonly #openApi: OpenApi;

	constructor(options: DocumentOptions) {
		this.#options = options;
		const resources = served(options.resources);
		this.#discovery = new Discovery(resources);
		this.#openApi = new OpenApi({
			resources,
			version: gitVersionOf(options.version),
		});
	}

	/**
	 * Returns the document at the call's path. Throws NotFound if there is none, and MethodNotAllowed for other
	 * methods than GET.
	 */
	async answer(call: Call): Promise<Answer> {
		const path = call.path.length > 1 && call.path.endsWith('/') ? call.path.slice(0, -1) : call.path;
		const answer =
			this.#discovery.answer(path, call.accept) ??
			health(path, call.query, this.#options.failure()) ??
			(await this.#openApi.answer(path)) ??
			(await openIdDocument(path, this.#options)) ??
			this.#other(path);
		// An unknown path is NotFound with any method, as upstream, so this check comes first.
		if (!answer) throw unknownPath();
		if (call.method !== 'GET') throw methodNotAllowed();
		return answer;
	}

	#other(path: string): Answer | undefined {
		if (path === '/version') return valueAnswer(200, versionInfo(this.#options.version));
		if (path === '/') return valueAnswer(200, { paths: PATHS });
		return undefined;
	}
}

/** All resources, with views and those that are never stored, in the order of upstream's discovery: core first. */
function served(resources: readonly ResourceDefinition[]): readonly ResourceDefinition[] {
	const { core = [], named = [] } = Object.groupBy(resources, ({ group }) =>
		group === '' ? 'core' : 'named',
	);
	const { computed = [], reviews = [] } = Object.groupBy(virtualResources, ({ isReadOnly }) =>
		isReadOnly ? 'computed' : 'reviews',
	);
	return [...core, ...viewResources, ...reviews, ...named, ...computed];
}

/** The index at `/`. */
const PATHS = [
	'/.well-known/openid-configuration',
	'/api',
	'/apis',
	'/healthz',
	'/livez',
	'/metrics',
	'/openid/v1/jwks',
	'/openapi/v2',
	'/openapi/v3',
	'/readyz',
	'/version',
];

/**
 * The answer of `/version`. Clients only read the version; build fields that stint does not have are empty,
 * and the date is a valid one because clients may parse it.
 */
function versionInfo(version: string): unknown {
	const [major = '', minor = ''] = KUBERNETES_VERSION.split('.');
	const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
	return {
		major,
		minor,
		emulationMajor: major,
		emulationMinor: minor,
		minCompatibilityMajor: major,
		minCompatibilityMinor: String(Number(minor) - 1),
		gitVersion: gitVersionOf(version),
		gitCommit: '',
		gitTreeState: 'clean',
		buildDate: '1970-01-01T00:00:00Z',
		goVersion: '',
		compiler: '',
		platform: `${process.platform}/${architecture}`,
	};
}

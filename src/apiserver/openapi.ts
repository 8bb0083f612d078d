import type { SubresourceKind } from '../api/meta/openapi.ts';
import type { ResourceDefinition } from '../api/meta/resource.ts';
import type { Answer } from './answer.ts';
import { documentAnswer } from './discovery.ts';
import { SUBRESOURCES } from './subresources.ts';

/** What the OpenAPI paths are answered from. */
export interface OpenApiOptions {
	readonly resources: readonly ResourceDefinition[];
	/** Stands in the documents. */
	readonly version: string;
}

/**
 * `/openapi/v3`: an index and a document for each group and version, made when first asked for.
 * `/openapi/v2`: an empty document in protobuf, which old kubectl versions must be able to load before
 * they ask for anything else; there is nothing in it that they would miss.
 */
export class OpenApi {
	readonly #options: OpenApiOptions;
	#documents: Promise<ReadonlyMap<string, Answer>> | undefined;

	constructor(options: OpenApiOptions) {
		this.#options = options;
	}

	/** The answer for a path (without a slash at its end), or undefined if it is none of OpenAPI's. */
	async answer(path: string): Promise<Answer | undefined> {
		if (path === '/openapi/v2') return EMPTY_V2;
		if (path !== ROOT && !path.startsWith(`${ROOT}/`)) return undefined;
		this.#documents ??= this.#make();
		return (await this.#documents).get(path);
	}

	async #make(): Promise<ReadonlyMap<string, Answer>> {
		// Imported on demand: a server that nobody applies anything to never needs it.
		const { openApiDocument, openApiPath } = await import('../api/meta/openapi.ts');
		const { resources, version } = this.#options;
		const answers = new Map<string, Answer>();
		const index: Record<string, unknown> = {};
		for (const [path, definitions] of Map.groupBy(resources, openApiPath)) {
			const answer = documentAnswer(openApiDocument(definitions, version, kindsTaken), 'application/json');
			answers.set(`${ROOT}/${path}`, { ...answer, immutable: true });
			const hash = answer.etag?.replaceAll('"', '');
			index[path] = { serverRelativeURL: `${ROOT}/${path}?hash=${hash}` };
		}
		return answers.set(ROOT, documentAnswer({ paths: index }, 'application/json'));
	}
}

const ROOT = '/openapi/v3';

const EMPTY_V2: Answer = {
	code: 200,
	contentType: 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf',
	object: () => '',
	bytes: () => [new Uint8Array()],
};

/** What the subresources of a resource take, by their names. */
function kindsTaken(definition: ResourceDefinition): ReadonlyMap<string, SubresourceKind> {
	const own = SUBRESOURCES.filter((each) => each.of(definition));
	return new Map(own.flatMap(({ name, takes }) => (takes ? [[name, takes] as const] : [])));
}

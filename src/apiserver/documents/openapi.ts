import type { ResourceDefinition } from '../../api/contract/resource-definition.ts';
import type { ConnectOptions, SubresourceKind } from '../../api/schema/openapi.ts';
import type { Answer } from '../respond.ts';
import { SUBRESOURCES } from '../subresources/subresources.ts';
import { documentAnswer } from './discovery.ts';

/** Dependencies of {@link OpenApi}. */
export interface OpenApiOptions {
	readonly resources: readonly ResourceDefinition[];
	/** Version of the API that the documents name. */
	readonly version: string;
}

/**
 * Answers the OpenAPI paths. `/openapi/v3` has an index and a document for each group and version, made on
 * first use. `/openapi/v2` is an empty document in protobuf: old kubectl versions load it before they send
 * anything else, and use nothing of it that they could not do without.
 */
export class OpenApi {
	readonly #options: OpenApiOptions;
	#documents: Promise<ReadonlyMap<string, Answer>> | undefined;

	constructor(options: OpenApiOptions) {
		this.#options = options;
	}

	/** The response for a path (without trailing slash), or undefined if it is not an OpenAPI path. */
	async answer(path: string): Promise<Answer | undefined> {
		if (path === '/openapi/v2') return EMPTY_V2;
		if (path !== ROOT && !path.startsWith(`${ROOT}/`)) return undefined;
		this.#documents ??= this.#make();
		return (await this.#documents).get(path);
	}

	async #make(): Promise<ReadonlyMap<string, Answer>> {
		// Imported on first use: only clients that validate or explain load these documents, and a start should
		// not wait for the generator.
		const { openApiDocument, openApiPath } = await import('../../api/schema/openapi.ts');
		const { resources, version } = this.#options;
		const answers = new Map<string, Answer>();
		const index: Record<string, unknown> = {};
		for (const [path, definitions] of Map.groupBy(resources, openApiPath)) {
			const answer = documentAnswer(openApiDocument(definitions, version, acceptedKinds), 'application/json');
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

/** The kinds of object or of options that the subresources of a resource accept, by subresource name. */
function acceptedKinds(
	definition: ResourceDefinition,
): ReadonlyMap<string, SubresourceKind | ConnectOptions> {
	const own = SUBRESOURCES.filter((each) => each.appliesTo(definition));
	return new Map(
		own.flatMap(({ name, accepts, connects, verbs }) => {
			const kind = accepts ? { ...accepts, isRead: verbs.GET !== undefined } : connects;
			return kind ? [[name, kind] as const] : [];
		}),
	);
}

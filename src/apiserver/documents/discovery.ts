import { createHash } from 'node:crypto';
import { apiVersionOf, type ResourceDefinition } from '../../api/contract/resource-definition.ts';
import { isNamespace } from '../../plan/deletion/namespace-deletion.ts';
import { acceptsJson, parseAccept } from '../http/negotiate.ts';
import type { Answer } from '../respond.ts';
import { SUBRESOURCES } from '../subresources/subresources.ts';

/**
 * The discovery documents: `/api`, `/apis` (aggregated in v2 and v2beta1, or the legacy lists),
 * `/apis/<group>` and the resource lists of each group and version. They are made on first use and never
 * change.
 *
 * The content type of an aggregated document must name exactly the version that the client asked for. Clients
 * that receive another one ignore it and see no resources.
 */
export class Discovery {
	readonly #resources: readonly ResourceDefinition[];
	readonly #answers = new Map<string, Answer>();

	constructor(resources: readonly ResourceDefinition[]) {
		this.#resources = resources;
	}

	/** The response for a path (without trailing slash), or undefined if it is not a discovery path. */
	answer(path: string, accept: string): Answer | undefined {
		const version = path === '/api' || path === '/apis' ? aggregatedVersion(accept) : undefined;
		const key = `${path} ${version ?? ''}`;
		const known = this.#answers.get(key);
		if (known) return known;
		const document = version ? this.#aggregated(path, version) : this.#legacy(path);
		if (!document) return undefined;
		const type = version ? `;g=${DISCOVERY_GROUP};v=${version};as=APIGroupDiscoveryList` : '';
		const answer = documentAnswer(document, `application/json${type}`);
		this.#answers.set(key, answer);
		return answer;
	}

	/**
	 * All groups in one document: kubectl and client-go ask for this first, and fall back to the legacy lists
	 * if it is not served.
	 */
	#aggregated(path: string, version: DiscoveryVersion): unknown {
		const groups = this.#groups().filter((group) => (group === '') === (path === '/api'));
		return {
			kind: 'APIGroupDiscoveryList',
			apiVersion: `${DISCOVERY_GROUP}/${version}`,
			metadata: {},
			items: groups.map((group) => ({
				metadata: group === '' ? {} : { name: group },
				versions: this.#versionsOf(group).map((groupVersion) => ({
					version: groupVersion,
					resources: this.#resourcesOf(group, groupVersion).map(aggregatedResource),
					freshness: 'Current',
				})),
			})),
		};
	}

	/**
	 * The documents for older clients: a request for each group and version. Undefined for paths of groups or
	 * versions that are not served.
	 */
	#legacy(path: string): unknown {
		if (path === '/api') {
			return { kind: 'APIVersions', versions: this.#versionsOf(''), serverAddressByClientCIDRs: [] };
		}
		if (path === '/apis') {
			const groups = this.#groups().filter((group) => group !== '');
			return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map((group) => this.#group(group)) };
		}
		const [, root, ...rest] = path.split('/');
		const [group = '', version] = root === 'api' ? ['', ...rest] : rest;
		if ((root !== 'api' && root !== 'apis') || rest.length > (root === 'api' ? 1 : 2)) return undefined;
		if (version === undefined) {
			return this.#groups().includes(group)
				? { kind: 'APIGroup', apiVersion: 'v1', ...this.#group(group) }
				: undefined;
		}
		const resources = this.#resourcesOf(group, version);
		if (resources.length === 0) return undefined;
		return {
			kind: 'APIResourceList',
			apiVersion: 'v1',
			groupVersion: apiVersionOf({ group, version }),
			resources: resources.flatMap(legacyResources),
		};
	}

	#group(group: string): object {
		const versions = this.#versionsOf(group).map((version) => ({
			groupVersion: apiVersionOf({ group, version }),
			version,
		}));
		return { name: group, versions, preferredVersion: versions[0] };
	}

	#groups(): readonly string[] {
		return [...new Set(this.#resources.map(({ group }) => group))];
	}

	#versionsOf(group: string): readonly string[] {
		const own = this.#resources.filter((definition) => definition.group === group);
		return [...new Set(own.map(({ version }) => version))];
	}

	#resourcesOf(group: string, version: string): readonly ResourceDefinition[] {
		return this.#resources.filter((each) => each.group === group && each.version === version);
	}
}

/** A response that never changes, with an ETag that clients send back in If-None-Match. */
export function documentAnswer(document: unknown, contentType: string): Answer {
	const bytes = Buffer.from(JSON.stringify(document));
	const etag = `"${createHash('sha256').update(bytes).digest('hex').toUpperCase()}"`;
	return { code: 200, contentType, etag, object: () => document, bytes: () => [bytes] };
}

const DISCOVERY_GROUP = 'apidiscovery.k8s.io';

type DiscoveryVersion = 'v2' | 'v2beta1';

/**
 * The version of the aggregated document that the client accepts. A range of plain JSON that comes first
 * means the legacy lists, as upstream.
 */
function aggregatedVersion(accept: string): DiscoveryVersion | undefined {
	for (const clause of parseAccept(accept)) {
		if (!acceptsJson(clause)) continue;
		const { parameters } = clause;
		if (!parameters.has('as')) return undefined;
		const version = parameters.get('v');
		if (parameters.get('as') !== 'APIGroupDiscoveryList' || parameters.get('g') !== DISCOVERY_GROUP) continue;
		if (version === 'v2' || version === 'v2beta1') return version;
	}
	return undefined;
}

/** kubectl and controllers check these before they send a request. */
const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

function verbsOf(definition: ResourceDefinition): readonly string[] {
	if (definition.isVirtual) return definition.isReadOnly ? ['get', 'list'] : ['create'];
	return isNamespace(definition) ? VERBS.filter((verb) => verb !== 'deletecollection') : VERBS;
}

function aggregatedResource(definition: ResourceDefinition): unknown {
	const { resource, singular, shortNames, categories, namespaced } = definition;
	const subresources = SUBRESOURCES.filter((each) => each.appliesTo(definition)).map((each) => ({
		subresource: each.name,
		responseKind: kindOf(each.accepts ?? each.connects ?? definition),
		verbs: each.discoveryVerbs,
	}));
	return {
		resource,
		responseKind: kindOf(definition),
		scope: namespaced ? 'Namespaced' : 'Cluster',
		singularResource: singular,
		verbs: verbsOf(definition),
		...(shortNames.length > 0 && { shortNames }),
		...(categories.length > 0 && { categories }),
		...(subresources.length > 0 && { subresources }),
	};
}

/** The resource and its subresources, which are entries of their own in the legacy lists. */
function legacyResources(definition: ResourceDefinition): readonly unknown[] {
	const { group, kind, resource, singular, shortNames, categories, namespaced } = definition;
	const subresources = SUBRESOURCES.filter((each) => each.appliesTo(definition)).map((each) => ({
		name: `${resource}/${each.name}`,
		singularName: '',
		namespaced,
		...(each.accepts && each.accepts.group !== group
			? kindOf(each.accepts)
			: { kind: (each.accepts ?? each.connects)?.kind ?? kind }),
		verbs: each.discoveryVerbs,
	}));
	const whole = {
		name: resource,
		singularName: singular,
		namespaced,
		kind,
		verbs: verbsOf(definition),
		...(shortNames.length > 0 && { shortNames }),
		...(categories.length > 0 && { categories }),
	};
	return [whole, ...subresources];
}

function kindOf({ group, version, kind }: Pick<ResourceDefinition, 'group' | 'version' | 'kind'>): object {
	return { group, version, kind };
}

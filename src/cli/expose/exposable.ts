import { isOfKind, type ResourceDefinition } from '../../api/contract/resource-definition.ts';
import { pods } from '../../api/core/pod/definition.ts';
import type { PodSpec } from '../../api/core/pod/schema.ts';
import { services } from '../../api/core/service/definition.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { CommandError } from '../context.ts';

/** A port of an object that is exposed. */
export interface ExposedPort {
	readonly port: number;
	readonly protocol: string;
}

/** What a Service for an object takes over from it. */
export interface Exposed {
	/** The labels of its Pods; a text: why it has none. */
	readonly selector: Readonly<Record<string, string>> | string;
	readonly ports: readonly ExposedPort[];
}

interface Exposable {
	readonly definition: ResourceDefinition;
	exposed(object: KubeObject): Exposed;
}

/**
 * The kinds of objects that can be exposed. A kind with a Pod template needs one line more:
 * `exposable(replicaSets, ({ spec }) => ({ selector: selectorOf(spec.selector), ports: containerPorts(spec.template.spec) }))`.
 */
const EXPOSABLE: readonly Exposable[] = [
	exposable(pods, ({ metadata, spec }) => ({
		selector: metadata.labels ?? 'the pod has no labels and cannot be exposed',
		ports: containerPorts(spec),
	})),
	exposable(services, ({ spec }) => ({
		selector: spec.selector ?? 'the service has no pod selector set',
		ports: (spec.ports ?? []).map(({ port, protocol = 'TCP' }) => ({ port, protocol })),
	})),
];

/** What a Service for the object takes over. Throws a CommandError, with kubectl's text, if its kind cannot be exposed. */
export function exposedOf(object: KubeObject, definition: ResourceDefinition): Exposed {
	const found = EXPOSABLE.find((each) => each.definition === definition);
	if (found) return found.exposed(object);
	const { kind, group } = definition;
	throw new CommandError(`cannot expose a ${group === '' ? kind : `${kind}.${group}`}`);
}

function exposable<T extends KubeObject>(
	definition: ResourceDefinition<T>,
	exposed: (object: T) => Exposed,
): Exposable {
	return {
		definition,
		exposed: (object) => {
			if (!isOfKind(object, definition)) throw new CommandError(`the object is not a ${definition.kind}`);
			return exposed(object);
		},
	};
}

function containerPorts({ containers }: Pick<PodSpec, 'containers'>): readonly ExposedPort[] {
	return containers.flatMap(({ ports = [] }) =>
		ports.map(({ containerPort, protocol = 'TCP' }) => ({ port: containerPort, protocol })),
	);
}

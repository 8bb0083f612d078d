import { deployments } from '../../api/apps/deployment/definition.ts';
import { replicaSets } from '../../api/apps/replicaset/definition.ts';
import { isOfKind, type ResourceDefinition } from '../../api/contract/resource-definition.ts';
import { pods } from '../../api/core/pod/definition.ts';
import type { PodSpec } from '../../api/core/pod/schema.ts';
import { replicationControllers } from '../../api/core/replicationcontroller/definition.ts';
import { services } from '../../api/core/service/definition.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import type { LabelSelector } from '../../api/meta/selector.ts';
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

/** The kinds of objects that can be exposed (upstream: canBeExposed in polymorphichelpers). */
const EXPOSABLE: readonly Exposable[] = [
	exposable(pods, ({ metadata, spec }) => ({
		selector: metadata.labels ?? 'the pod has no labels and cannot be exposed',
		ports: containerPorts(spec),
	})),
	exposable(services, ({ spec }) => ({
		selector: spec.selector ?? 'the service has no pod selector set',
		ports: (spec.ports ?? []).map(({ port, protocol = 'TCP' }) => ({ port, protocol })),
	})),
	exposable(replicationControllers, ({ spec }) => ({
		selector: spec.selector ?? {},
		ports: containerPorts(spec.template?.spec),
	})),
	exposable(deployments, ({ spec }) => ({
		selector: labelsIn(spec.selector, 'deployment'),
		ports: containerPorts(spec.template.spec),
	})),
	exposable(replicaSets, ({ spec }) => ({
		selector: labelsIn(spec.selector, 'replicaset'),
		ports: containerPorts(spec.template.spec),
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

/** The labels of a selector of labels alone; a text: why a Service cannot have it. */
function labelsIn(selector: LabelSelector | undefined, kind: string): Exposed['selector'] {
	const { matchLabels = {}, matchExpressions = [] } = selector ?? {};
	if (Object.keys(matchLabels).length === 0)
		return `invalid ${kind}: no selectors, therefore cannot be exposed`;
	if (matchExpressions.length === 0) return matchLabels;
	// As Go's `%+v` prints them.
	const texts = matchExpressions.map(
		({ key, operator, values = [] }) => `{Key:${key} Operator:${operator} Values:[${values.join(' ')}]}`,
	);
	return `couldn't convert expressions - "[${texts.join(' ')}]" to map-based selector format`;
}

function containerPorts(spec: Pick<PodSpec, 'containers'> | undefined): readonly ExposedPort[] {
	return (spec?.containers ?? []).flatMap(({ ports = [] }) =>
		ports.map(({ containerPort, protocol = 'TCP' }) => ({ port: containerPort, protocol })),
	);
}

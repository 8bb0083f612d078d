/**
 * Texts for Warning headers: values in a Pod or template that are valid but probably mistakes. Upstream:
 * pkg/api/pod/warnings.go, with its texts. Not covered are annotations that fields have replaced.
 */

import { quote } from '../../../base/quote.ts';
import { type FieldPath, SPEC } from '../../errors/field-path.ts';
import { dns1123Label, labelValue } from '../../meta/names.ts';
import { parseQuantity } from '../../meta/quantity.ts';
import type { NodeSelector } from './schema/affinity.ts';
import type {
	Affinity,
	Container,
	NodeSelectorTerm,
	Pod,
	PodSpec,
	PodTemplateSpec,
	Volume,
} from './schema.ts';

/** Warnings for a new Pod. */
export function podWarnings(pod: Pod): readonly string[] {
	const warnings: string[] = [];
	const problems = dns1123Label(pod.metadata.name ?? '');
	if (problems.length > 0) {
		const advice =
			"this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended";
		warnings.push(`metadata.name: ${advice}: [${problems.join(' ')}]`);
	}
	return [...warnings, ...specWarnings(pod.spec, SPEC)];
}

/** Warnings for the name of a workload, from which the names of its Pods are made. */
export function podOwnerNameWarnings(name = ''): readonly string[] {
	const problems = dns1123Label(name);
	if (problems.length === 0) return [];
	const advice =
		'this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended';
	return [`metadata.name: ${advice}: [${problems.join(' ')}]`];
}

/** Warnings for a Pod template at `path`. */
export function podTemplateWarnings(template: PodTemplateSpec, path: FieldPath): readonly string[] {
	return specWarnings(template.spec, path.child('spec'));
}

/** All warnings of a spec, in upstream's order. */
function specWarnings(spec: PodSpec, path: FieldPath): readonly string[] {
	const { volumes, affinity, topologySpreadConstraints, terminationGracePeriodSeconds = 0 } = spec;
	const warnings = [
		...(spec.nodeSelector ? nodeSelectorWarnings(spec.nodeSelector, path.child('nodeSelector')) : []),
		...(affinity ? nodeAffinityWarnings(affinity, path.child('affinity', 'nodeAffinity')) : []),
		...(topologySpreadConstraints ? spreadWarnings(topologySpreadConstraints, path) : []),
		...(volumes ? volumeWarnings(volumes, path.child('volumes')) : []),
		...(spec.hostAliases ? repeated(spec.hostAliases, 'ip', path.child('hostAliases')) : []),
		...(spec.imagePullSecrets ? secretWarnings(spec.imagePullSecrets, path.child('imagePullSecrets')) : []),
	];
	const containers = containersOf(spec, path);
	for (const { container, at } of containers) {
		warnings.push(...fractionWarnings(container, at), ...variableWarnings(container, at));
	}
	warnings.push(...portWarnings(containers));
	if (terminationGracePeriodSeconds < 0) {
		const text = 'must be >= 0; negative values are invalid and will be treated as 1';
		warnings.push(`${path.child('terminationGracePeriodSeconds').text}: ${text}`);
	}
	return affinity ? [...warnings, ...podAffinityWarnings(affinity, path.child('affinity'))] : warnings;
}

/** A container and its path, since warnings name the list that it is in. */
interface PlacedContainer {
	readonly container: Container;
	readonly at: FieldPath;
}

/** All containers, in the order of upstream's `VisitContainersWithPath`: warnings appear in it. */
function containersOf(spec: PodSpec, path: FieldPath): readonly PlacedContainer[] {
	return (['initContainers', 'containers', 'ephemeralContainers'] as const).flatMap((list) =>
		(spec[list] ?? []).map((container, index) => ({ container, at: path.child(list).index(index) })),
	);
}

/** Node labels that upstream has deprecated, with the text of the warning. */
export const DEPRECATED_LABELS: ReadonlyMap<string, string> = new Map([
	['beta.kubernetes.io/arch', 'deprecated since v1.14; use "kubernetes.io/arch" instead'],
	['beta.kubernetes.io/os', 'deprecated since v1.14; use "kubernetes.io/os" instead'],
	[
		'failure-domain.beta.kubernetes.io/region',
		'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
	],
	[
		'failure-domain.beta.kubernetes.io/zone',
		'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
	],
	[
		'beta.kubernetes.io/instance-type',
		'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
	],
	['app.kubernetes.io/created-by', 'deprecated since v1.9'],
	[
		'scheduler.alpha.kubernetes.io/preferAvoidPods',
		'deprecated since v1.22; use Taints and Tolerations instead',
	],
	['node-role.kubernetes.io/master', 'use "node-role.kubernetes.io/control-plane" instead'],
]);

/** Such a selector matches no node of a current cluster: the Pod would stay Pending. */
function nodeSelectorWarnings(
	selector: Readonly<Record<string, string>>,
	path: FieldPath,
): readonly string[] {
	return Object.keys(selector).flatMap((key) => {
		const text = DEPRECATED_LABELS.get(key);
		return text === undefined ? [] : [`${path.key(key).text}: ${text}`];
	});
}

const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution';
const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution';

/** Upstream: `GetWarningsForNodeSelectorTerm` in pkg/api/node, for required and preferred terms. */
function nodeAffinityWarnings({ nodeAffinity }: Affinity, path: FieldPath): readonly string[] {
	const { [REQUIRED]: needed, [PREFERRED]: preferred = [] } = nodeAffinity ?? {};
	return [
		...(needed ? nodeTermWarnings(needed, path.child(REQUIRED)) : []),
		...preferred.flatMap(({ preference }, index) =>
			termWarnings(preference, path.child(PREFERRED).index(index).child('preference'), true),
		),
	];
}

/** Warnings about deprecated labels in required terms, of a Pod or of a PersistentVolume. */
export function nodeTermWarnings(selector: NodeSelector, path: FieldPath): readonly string[] {
	const terms = path.child('nodeSelectorTerms');
	return selector.nodeSelectorTerms.flatMap((term, index) => termWarnings(term, terms.index(index), false));
}

/** Only values of preferred terms give a warning: in required terms an invalid value is an error. */
function termWarnings(term: NodeSelectorTerm, path: FieldPath, checkValues: boolean): readonly string[] {
	return (term.matchExpressions ?? []).flatMap(({ key, values = [] }, index) => {
		const at = path.child('matchExpressions').index(index);
		const text = DEPRECATED_LABELS.get(key);
		const warnings = text === undefined ? [] : [`${at.child('key').text}: ${key} is ${text}`];
		if (!checkValues) return warnings;
		const invalid = values.flatMap((value, number) =>
			labelValue(value).map(
				(problem) => `${at.child('values').index(number).text}: ${value} is invalid, ${problem}`,
			),
		);
		return [...warnings, ...invalid];
	});
}

/** A term without a selector is valid, and useless: it selects no Pod, while an empty selector selects all. */
const MATCHES_NOTHING = 'a null labelSelector results in matching no pod';

/** Constraints on deprecated topology labels spread over nothing, since nodes no longer have them. */
function spreadWarnings(
	constraints: NonNullable<PodSpec['topologySpreadConstraints']>,
	path: FieldPath,
): readonly string[] {
	return constraints.flatMap(({ topologyKey, labelSelector }, index) => {
		const at = path.child('topologySpreadConstraints').index(index);
		const text = DEPRECATED_LABELS.get(topologyKey);
		return [
			...(text === undefined ? [] : [`${at.child('topologyKey').text}: ${topologyKey} is ${text}`]),
			...(labelSelector ? [] : [`${at.child('labelSelector').text}: ${MATCHES_NOTHING}`]),
		];
	});
}

/** Upstream: `warningsForPodAffinityTerms` and `warningsForWeightedPodAffinityTerms`. */
function podAffinityWarnings(affinity: Affinity, path: FieldPath): readonly string[] {
	return (['podAffinity', 'podAntiAffinity'] as const).flatMap((field) => {
		const { [REQUIRED]: needed = [], [PREFERRED]: preferred = [] } = affinity[field] ?? {};
		const at = path.child(field);
		const terms = [
			...needed.map((term, index) => ({ term, place: at.child(REQUIRED).index(index) })),
			...preferred.map(({ podAffinityTerm }, index) => ({
				term: podAffinityTerm,
				place: at.child(PREFERRED).index(index).child('podAffinityTerm'),
			})),
		];
		return terms.flatMap(({ term, place }) =>
			term.labelSelector ? [] : [`${place.child('labelSelector').text}: ${MATCHES_NOTHING}`],
		);
	});
}

/**
 * The sources that Kubernetes no longer implements: field, name in upstream's warning, text of the warning.
 */
const NON_FUNCTIONAL_SOURCES: readonly (readonly [keyof Volume, string, string])[] = [
	['photonPersistentDisk', 'photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
	['gitRepo', 'gitRepo', 'deprecated in v1.11, and disabled by default in v1.33+'],
	['scaleIO', 'scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
	['flocker', 'flocker', 'deprecated in v1.22, non-functional in v1.25+'],
	['storageos', 'storageOS', 'deprecated in v1.22, non-functional in v1.25+'],
	['quobyte', 'quobyte', 'deprecated in v1.22, non-functional in v1.25+'],
	['glusterfs', 'glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
	['cephfs', 'cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
	['rbd', 'rbd', 'deprecated in v1.28, non-functional in v1.31+'],
];

/** A Pod with such a volume is accepted, and then waits for the volume for ever. */
function volumeWarnings(volumes: readonly Volume[], path: FieldPath): readonly string[] {
	return volumes.flatMap((volume, index) =>
		NON_FUNCTIONAL_SOURCES.filter(([source]) => volume[source] !== undefined).map(
			([, name, text]) => `${path.index(index).child(name).text}: ${text}`,
		),
	);
}

/** A warning for each item whose `field` has the value of an earlier item. */
function repeated<K extends string>(
	items: readonly { readonly [key in K]?: string }[],
	field: K,
	path: FieldPath,
): readonly string[] {
	const seen = new Set<string>();
	return items.flatMap((item, index) => {
		const value = item[field] ?? '';
		if (seen.has(value))
			return [`${path.index(index).child(field).text}: duplicate ${field} ${quote(value)}`];
		seen.add(value);
		return [];
	});
}

/** Warnings for pull secrets that occur twice or have no name. */
function secretWarnings(
	secrets: NonNullable<PodSpec['imagePullSecrets']>,
	path: FieldPath,
): readonly string[] {
	const nameless = secrets.flatMap(({ name = '' }, index) =>
		name === '' ? [`${path.index(index).child('name').text}: invalid empty name ""`] : [],
	);
	return [...repeated(secrets, 'name', path), ...nameless];
}

/** Warnings for amounts in bytes that are not whole numbers. Validation accepts them, as upstream does. */
function fractionWarnings({ resources }: Container, path: FieldPath): readonly string[] {
	if (!resources) return [];
	return ['memory', 'ephemeral-storage'].flatMap((resource) =>
		(['limits', 'requests'] as const).flatMap((list) => {
			const quantity = resources[list]?.[resource];
			if (quantity === undefined || parseQuantity(quantity).nanos % 1_000_000_000n === 0n) return [];
			const at = path.child('resources', list).key(resource);
			return [`${at.text}: fractional byte value ${quote(quantity)} is invalid, must be an integer`];
		}),
	);
}

/**
 * Warnings for environment variables that are defined twice. A later definition that refers to the earlier
 * one, such as `$(PATH):/bin`, is intended; any other hides the earlier one.
 */
function variableWarnings({ env = [] }: Container, path: FieldPath): readonly string[] {
	const seen = new Set<string>();
	return env.flatMap(({ name, value = '', valueFrom }, index) => {
		const reference = `$(${name})`;
		// A value that is only the reference adds nothing to the earlier definition, so upstream warns of it as well.
		const hides = valueFrom !== undefined || value === reference || !value.includes(reference);
		if (!seen.has(name)) {
			seen.add(name);
			return [];
		}
		if (!hides) return [];
		const text = `hides previous definition of ${quote(name)}, which may be dropped when using apply`;
		return [`${path.child('env').index(index).text}: ${text}`];
	});
}

/** Warnings for ports of one Pod that overlap, then for port names that occur twice. */
function portWarnings(containers: readonly PlacedContainer[]): readonly string[] {
	const ports = containers
		.flatMap(({ container, at }) =>
			(container.ports ?? []).map((port, index) => ({ port, at: at.child('ports').index(index).text })),
		)
		.map((placed, number) => ({ ...placed, number }));
	const overlaps = overlapWarnings(ports);
	const names = new Map<string, string>();
	const repeats = ports.flatMap(({ port: { name = '' }, at }) => {
		const first = names.get(name);
		if (name === '') return [];
		if (first === undefined) {
			names.set(name, at);
			return [];
		}
		const text = `services and probes that select ports by name will use ${first}`;
		return [`${at}: duplicate port name ${quote(name)} with ${first}, ${text}`];
	});
	return [...overlaps, ...repeats];
}

/** A port and its path, as text: it is needed only for warnings. */
interface PlacedPort {
	readonly port: Port;
	readonly at: string;
	/** Index of the port among all ports of the Pod, by which warnings are ordered. */
	readonly number: number;
}

/**
 * Limit on the warnings for overlapping ports: n equal ports overlap in n² pairs, and no user reads so many.
 */
const MAX_OVERLAP_WARNINGS = 100;

/**
 * One warning for each pair of overlapping ports. Each port is compared only with earlier ports that can
 * overlap with it, found by index, so that the time is bounded by the number of ports and warnings.
 */
function overlapWarnings(ports: readonly PlacedPort[]): readonly string[] {
	const warnings: string[] = [];
	const groups = new Map<string, PortGroup>();
	for (const placed of ports) {
		const key = `${placed.port.containerPort}/${placed.port.protocol}`;
		const group = groups.get(key) ?? new PortGroup();
		for (const other of group.overlapping(placed.port)) {
			if (warnings.length >= MAX_OVERLAP_WARNINGS) return warnings;
			const word = overlap(placed.port, other.port);
			if (word !== undefined) warnings.push(`${placed.at}: ${word} port definition with ${other.at}`);
		}
		group.add(placed);
		groups.set(key, group);
	}
	return warnings;
}

/** The definitions of one container port and protocol, indexed by host port and host IP. */
class PortGroup {
	readonly #all: PlacedPort[] = [];
	readonly #places = new Map<string, PlacedPort[]>();

	add(placed: PlacedPort): void {
		const { hostIP = '', hostPort = 0 } = placed.port;
		this.#all.push(placed);
		for (const place of [`${hostPort}/${hostIP}`, ...(hostIP === '' ? [] : [`${hostPort}/*`])]) {
			const there = this.#places.get(place) ?? [];
			there.push(placed);
			this.#places.set(place, there);
		}
	}

	/** The definitions that may overlap with `port`, in the order in which the Pod lists them. */
	overlapping({ hostIP = '', hostPort = 0 }: Port): readonly PlacedPort[] {
		if (hostPort === 0) return this.#all;
		const at = (place: string): readonly PlacedPort[] => this.#places.get(place) ?? [];
		const same = at(`${hostPort}/${hostIP}`);
		const ambiguous = at(hostIP === '' ? `${hostPort}/*` : `${hostPort}/`);
		return [...same, ...ambiguous, ...at('0/'), ...at('0/*')].sort((a, b) => a.number - b.number);
	}
}

type Port = NonNullable<Container['ports']>[number];

/** The word for the way in which two definitions of one container port overlap; undefined if they do not. */
function overlap(port: Port, other: Port): string | undefined {
	const { hostIP = '', hostPort = 0 } = port;
	const { hostIP: otherIP = '', hostPort: otherPort = 0 } = other;
	if (hostIP === otherIP && hostPort === otherPort) return 'duplicate';
	if (hostPort === 0 || otherPort === 0) return 'overlapping';
	return hostPort === otherPort && (hostIP === '') !== (otherIP === '') ? 'dangerously ambiguous' : undefined;
}

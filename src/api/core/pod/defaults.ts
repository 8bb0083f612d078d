/**
 * Defaults of Pods and Pod templates (upstream: pkg/apis/core/v1/defaults.go). Defaulting runs on every write
 * and on every object that is read, so a spec that is already complete must cost next to nothing: every
 * function returns the part that it was given if there is nothing to fill in, and a copy shares the parts
 * that did not change.
 */

import { formatQuantity, parseQuantity } from '../../meta/quantity.ts';
import { mapShared, withDefaults, withDefaultsForZeros, withField } from '../../schema/defaults.ts';
import { aggregateRequests, type ResourceList } from './aggregate-requests.ts';
import type {
	Container,
	ContainerLifecycle,
	ContainerPort,
	EnvVar,
	EphemeralContainer,
	LifecycleHandler,
	Pod,
	PodSpec,
	PodStatus,
	PodTemplateSpec,
	Probe,
	ResourceRequirements,
} from './schema.ts';
import { pullPolicyOf } from './validation/image-name.ts';
import { defaultVolume } from './volume-defaults.ts';

/**
 * Fills in the defaults of a Pod. Unlike a template, a Pod also gets requests from its limits, host ports
 * with hostNetwork, and a grace period of 1 second in place of a negative one (upstream: `SetDefaults_Pod`).
 */
export function defaultPod(pod: Pod): Pod {
	let spec = withDefaults(defaultPodSpec(pod.spec), POD);
	const each = spec.hostNetwork ? defaultHostContainer : requestsFromLimits;
	spec = withField(spec, 'containers', (containers) => mapShared(containers, each));
	spec = withField(spec, 'initContainers', (containers) => mapShared(containers, each));
	spec = withField(spec, 'resources', (resources) => podRequestsFromLimits(resources, spec));
	if ((spec.terminationGracePeriodSeconds ?? 0) < 0) spec = { ...spec, terminationGracePeriodSeconds: 1 };
	return withField(spec === pod.spec ? pod : { ...pod, spec }, 'status', withEqualAddresses);
}

/**
 * Makes podIP and the first of podIPs equal: older clients write only podIP, newer ones podIPs as well. If
 * both are set and differ, podIP wins, as in upstream's conversion
 * (`Convert_v1_PodStatus_To_core_PodStatus`).
 */
function withEqualAddresses(status: PodStatus): PodStatus {
	const { podIP, podIPs } = status;
	const first = podIPs?.[0]?.ip;
	if (podIP === first) return status;
	if (podIP !== undefined) return { ...status, podIPs: [{ ip: podIP }] };
	return first ? { ...status, podIP: first } : status;
}

/** Fills in the defaults of a Pod template. */
export function defaultPodTemplate(template: PodTemplateSpec): PodTemplateSpec {
	return withField(template, 'spec', defaultPodSpec);
}

/** Seconds that the containers of a Pod have to end if it does not say. */
export const DEFAULT_GRACE_SECONDS = 30;

/** Defaults of Pods that templates do not get. */
const POD: Partial<PodSpec> = { enableServiceLinks: true };
/** Defaults of the spec of Pods and templates. */
const POD_SPEC: Partial<PodSpec> = {
	restartPolicy: 'Always',
	terminationGracePeriodSeconds: DEFAULT_GRACE_SECONDS,
	dnsPolicy: 'ClusterFirst',
	securityContext: {},
	schedulerName: 'default-scheduler',
};
const CONTAINER: Partial<Container> = {
	terminationMessagePath: '/dev/termination-log',
	terminationMessagePolicy: 'File',
	resources: {},
};
/**
 * Probe defaults replace zeros as well: upstream's fields are no pointers, so that a 0 is the same as an
 * absent field.
 */
export const PROBE_DEFAULTS = {
	timeoutSeconds: 1,
	periodSeconds: 10,
	successThreshold: 1,
	failureThreshold: 3,
};
const HTTP = { path: '/', scheme: 'HTTP' } as const;
const TCP = { protocol: 'TCP' } as const;
/** An empty service name makes the server report its overall health. */
const GRPC = { service: '' };
const V1 = { apiVersion: 'v1' };
const NOT_OPTIONAL = { optional: false };

function defaultPodSpec(given: PodSpec): PodSpec {
	let spec = withDefaults(given, POD_SPEC);
	// serviceAccount is the deprecated alias of serviceAccountName: both get the same value.
	const { serviceAccountName: account = spec.serviceAccount } = spec;
	if (account !== undefined && account !== spec.serviceAccount) spec = { ...spec, serviceAccount: account };
	if (account !== spec.serviceAccountName) spec = { ...spec, serviceAccountName: account };
	spec = withField(spec, 'containers', (containers) => mapShared(containers, defaultContainer));
	spec = withField(spec, 'initContainers', (containers) => mapShared(containers, defaultContainer));
	spec = withField(spec, 'ephemeralContainers', (containers) => mapShared(containers, defaultEphemeral));
	spec = withField(spec, 'volumes', (volumes) => mapShared(volumes, defaultVolume));
	spec = withField(spec, 'overhead', roundedUp);
	return withField(spec, 'resources', roundedRequirements);
}

/** Defaults of containers do not know targetContainerName, so it is copied from `given`. */
function defaultEphemeral(given: EphemeralContainer): EphemeralContainer {
	const container = defaultContainer(given);
	return container === given ? given : { ...given, ...container };
}

function defaultContainer(given: Container): Container {
	let container = withDefaults(given, CONTAINER);
	if (container.imagePullPolicy === undefined) {
		container = { ...container, imagePullPolicy: pullPolicyOf(container.image ?? '') };
	}
	container = withField(container, 'resources', roundedRequirements);
	container = withField(container, 'ports', (ports) => mapShared(ports, defaultPort));
	container = withField(container, 'env', (env) => mapShared(env, defaultVariable));
	container = withField(container, 'livenessProbe', defaultProbe);
	container = withField(container, 'readinessProbe', defaultProbe);
	container = withField(container, 'startupProbe', defaultProbe);
	return withField(container, 'lifecycle', defaultLifecycle);
}

function defaultPort(port: ContainerPort): ContainerPort {
	return withDefaults(port, TCP);
}

function defaultVariable(variable: EnvVar): EnvVar {
	return withField(variable, 'valueFrom', (given) => {
		const source = withField(given, 'fieldRef', (reference) => withDefaults(reference, V1));
		return withField(source, 'fileKeyRef', (reference) => withDefaults(reference, NOT_OPTIONAL));
	});
}

function defaultProbe(given: Probe): Probe {
	const probe = withField(withDefaultsForZeros(given, PROBE_DEFAULTS), 'httpGet', defaultHttpGet);
	return withField(probe, 'grpc', (grpc) => withDefaults(grpc, GRPC));
}

function defaultLifecycle(given: ContainerLifecycle): ContainerLifecycle {
	const handler = (action: LifecycleHandler): LifecycleHandler =>
		withField(action, 'httpGet', defaultHttpGet);
	return withField(withField(given, 'postStart', handler), 'preStop', handler);
}

function defaultHttpGet(action: NonNullable<Probe['httpGet']>): NonNullable<Probe['httpGet']> {
	return withDefaultsForZeros(action, HTTP);
}

/** With hostNetwork, containers listen on the node's ports: a missing hostPort equals the containerPort. */
function defaultHostContainer(container: Container): Container {
	const hostPort = (port: ContainerPort): ContainerPort =>
		port.hostPort ? port : { ...port, hostPort: port.containerPort };
	return withField(requestsFromLimits(container), 'ports', (ports) => mapShared(ports, hostPort));
}

/**
 * A container that limits a resource without requesting it requests as much as its limit. Otherwise the
 * scheduler would reserve nothing for a container that may use the whole limit.
 */
function requestsFromLimits(container: Container): Container {
	const { limits, requests = {} } = container.resources ?? {};
	for (const resource in limits) {
		if (Object.hasOwn(requests, resource)) continue;
		return { ...container, resources: { ...container.resources, requests: { ...limits, ...requests } } };
	}
	return container;
}

/**
 * Requests of the Pod as a whole, if it has limits as a whole: for cpu and memory the sum of what its
 * containers request, otherwise the Pod's limit. The Pod's own requests stay.
 */
function podRequestsFromLimits(resources: ResourceRequirements, spec: PodSpec): ResourceRequirements {
	const { limits = {}, requests = {} } = resources;
	if (Object.keys(limits).length === 0) return resources;
	const needed = aggregateRequests(spec);
	const cpu = needed.get('cpu');
	const memory = needed.get('memory');
	const own = { ...(cpu !== undefined && { cpu }), ...(memory !== undefined && { memory }) };
	const supported = Object.entries(limits).filter(
		([resource]) => resource === 'cpu' || resource === 'memory' || resource.startsWith('hugepages-'),
	);
	const wanted = { ...Object.fromEntries(supported), ...own };
	const complete = withDefaults<ResourceList>(requests, wanted);
	return complete === resources.requests ? resources : { ...resources, requests: complete };
}

/** Quantities that may be finer than a thousandth; upstream rounds resource lists up to milli-units. */
const FINER_THAN_MILLI = /[nu]$|e-/;
const NANOS_PER_MILLI = 1_000_000n;

function roundedRequirements(resources: ResourceRequirements): ResourceRequirements {
	return withField(withField(resources, 'limits', roundedUp), 'requests', roundedUp);
}

/** The list with its amounts rounded up to milli-units; the same list if none is finer. */
function roundedUp(list: ResourceList): ResourceList {
	const isFine = ([, text]: readonly [string, string]): boolean => FINER_THAN_MILLI.test(text);
	const entries = Object.entries(list);
	if (!entries.some(isFine)) return list;
	return Object.fromEntries(
		entries.map((entry) => (isFine(entry) ? [entry[0], roundedText(entry[1])] : entry)),
	);
}

function roundedText(text: string): string {
	const { nanos, format } = parseQuantity(text);
	const rest = nanos % NANOS_PER_MILLI;
	const rounded = rest > 0n ? nanos - rest + NANOS_PER_MILLI : nanos - rest;
	return formatQuantity({ nanos: rounded, format });
}

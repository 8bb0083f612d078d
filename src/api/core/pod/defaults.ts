import { mapShared, withDefaults, withDefaultsForZeros, withField } from '../../meta/defaults.ts';
import { formatQuantity, parseQuantity } from '../../meta/quantity.ts';
import { aggregateRequests, type ResourceList } from './aggregate-requests.ts';
import { pullPolicyOf } from './image-name.ts';
import type {
	Container,
	ContainerPort,
	EnvVar,
	EphemeralContainer,
	Lifecycle,
	LifecycleHandler,
	Pod,
	PodSpec,
	PodStatus,
	PodTemplateSpec,
	Probe,
	ResourceRequirements,
} from './schema.ts';
import { defaultVolume } from './volume-defaults.ts';

/**
 * What upstream fills in where a Pod leaves it open. It runs on every write and on everything read, so a
 * spec that is complete must cost next to nothing: it is returned as it came, part by part.
 */

/** Defaults of a Pod; unlike a template it also gets requests from limits, and host ports. */
export function defaultPod(pod: Pod): Pod {
	let spec = withDefaults(defaultPodSpec(pod.spec), POD);
	const each = spec.hostNetwork ? defaultHostContainer : requestsFromLimits;
	spec = withField(spec, 'containers', (containers) => mapShared(containers, each));
	spec = withField(spec, 'initContainers', (containers) => mapShared(containers, each));
	spec = withField(spec, 'resources', (resources) => podRequestsFromLimits(resources, spec));
	if ((spec.terminationGracePeriodSeconds ?? 0) < 0) spec = { ...spec, terminationGracePeriodSeconds: 1 };
	return withField(spec === pod.spec ? pod : { ...pod, spec }, 'status', agreeOnAddress);
}

/** podIP is the first of podIPs, whichever of the two the writer knows; podIP has the last word. */
function agreeOnAddress(status: PodStatus): PodStatus {
	const { podIP, podIPs } = status;
	const first = podIPs?.[0]?.ip;
	if (podIP === first) return status;
	if (podIP !== undefined) return { ...status, podIPs: [{ ip: podIP }] };
	return first ? { ...status, podIP: first } : status;
}

/** Defaults of the template that Pods are made from. */
export function defaultPodTemplate(template: PodTemplateSpec): PodTemplateSpec {
	return withField(template, 'spec', defaultPodSpec);
}

const POD: Partial<PodSpec> = { enableServiceLinks: true };
const POD_SPEC: Partial<PodSpec> = {
	restartPolicy: 'Always',
	terminationGracePeriodSeconds: 30,
	dnsPolicy: 'ClusterFirst',
	securityContext: {},
	schedulerName: 'default-scheduler',
};
const CONTAINER: Partial<Container> = {
	terminationMessagePath: '/dev/termination-log',
	terminationMessagePolicy: 'File',
	resources: {},
};
const PROBE = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 };
const HTTP = { path: '/', scheme: 'HTTP' } as const;
const TCP = { protocol: 'TCP' } as const;
const GRPC = { service: '' };
const V1 = { apiVersion: 'v1' };
const NEEDED = { optional: false };

function defaultPodSpec(given: PodSpec): PodSpec {
	let spec = withDefaults(given, POD_SPEC);
	// Two names of one field.
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
		return withField(source, 'fileKeyRef', (reference) => withDefaults(reference, NEEDED));
	});
}

function defaultProbe(given: Probe): Probe {
	const probe = withField(withDefaultsForZeros(given, PROBE), 'httpGet', defaultHttpGet);
	return withField(probe, 'grpc', (grpc) => withDefaults(grpc, GRPC));
}

function defaultLifecycle(given: Lifecycle): Lifecycle {
	const handler = (action: LifecycleHandler): LifecycleHandler =>
		withField(action, 'httpGet', defaultHttpGet);
	return withField(withField(given, 'postStart', handler), 'preStop', handler);
}

function defaultHttpGet(action: NonNullable<Probe['httpGet']>): NonNullable<Probe['httpGet']> {
	return withDefaultsForZeros(action, HTTP);
}

/** On the node's network a port of a container is one of the node. */
function defaultHostContainer(container: Container): Container {
	const hostPort = (port: ContainerPort): ContainerPort =>
		port.hostPort ? port : { ...port, hostPort: port.containerPort };
	return withField(requestsFromLimits(container), 'ports', (ports) => mapShared(ports, hostPort));
}

function requestsFromLimits(container: Container): Container {
	const { limits, requests = {} } = container.resources ?? {};
	for (const resource in limits) {
		if (Object.hasOwn(requests, resource)) continue;
		return { ...container, resources: { ...container.resources, requests: { ...limits, ...requests } } };
	}
	return container;
}

/** A Pod that limits its containers together requests what they do, else as much as it may use. */
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

/** Amounts are kept by the thousandth. */
const FINER_THAN_MILLI = /[nu]$|e-/;
const NANOS_PER_MILLI = 1_000_000n;

function roundedRequirements(resources: ResourceRequirements): ResourceRequirements {
	return withField(withField(resources, 'limits', roundedUp), 'requests', roundedUp);
}

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

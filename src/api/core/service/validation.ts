/**
 * Validation of Services, with the rules and messages of pkg/apis/core/validation (`ValidateServiceCreate`,
 * `ValidateServiceUpdate`, `ValidateServiceStatusUpdate`). address-validation.ts has the rules about clusterIPs and
 * ipFamilies.
 */

import {
	chosen,
	duplicate,
	fieldForbidden,
	fieldInvalid,
	fieldRequired,
	malformed,
	notSupported,
} from '../../errors/field-errors.ts';
import { type FieldError, FieldPath, SPEC } from '../../errors/field-path.ts';
import { dns1123Label, dns1123Subdomain, portName, portNumber, qualifiedName } from '../../meta/names.ts';
import { validateLabels } from '../../meta/selector.ts';
import { validateMeta, validateMetaUpdate } from '../../meta/validate-meta.ts';
import { parseIp, validateEndpointIp, validateIp, validateIpRange } from '../../network/ip-address.ts';
import { PROTOCOLS } from '../../network/protocols.ts';
import { validateAddressChanges, validateAddresses } from './address-validation.ts';
import type { Service, ServicePort, ServiceSpec } from './schema.ts';
import { hasNodePorts, isExternallyAccessible, isHeadless, needsHealthCheck } from './service-type.ts';
import { HINTS_ANNOTATION, MODE_ANNOTATION } from './topology-annotations.ts';

const META = new FieldPath('metadata');
const STATUS = new FieldPath('status');
/** Names may begin with a digit since 1.36 (upstream: RelaxedServiceNameValidation). */
const RULES = { namespaced: true, name: dns1123Label };
const PORTS = SPEC.child('ports');
const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
const AFFINITIES = ['ClientIP', 'None'];
const POLICIES = ['Cluster', 'Local'];
const DISTRIBUTIONS = ['PreferClose', 'PreferSameZone', 'PreferSameNode'];
const MAX_AFFINITY_SECONDS = 86_400;
const RANGES_ANNOTATION = 'service.beta.kubernetes.io/load-balancer-source-ranges';
const ONLY_LOAD_BALANCER = "may only be used when `type` is 'LoadBalancer'";

/** The errors of a new Service. The server has allocated its addresses and ports. */
export function validateServiceCreate(service: Service): readonly FieldError[] {
	return [...validateMeta(service.metadata, RULES, META), ...validateService(service)];
}

/** The errors of an update from `old` to `service`. */
export function validateServiceUpdate(service: Service, old: Service): readonly FieldError[] {
	const errors = [
		...validateMetaUpdate(service.metadata, old.metadata, META),
		...validateAddressChanges(service.spec, old.spec),
	];
	const { type, loadBalancerClass, healthCheckNodePort } = service.spec;
	const areBalanced = type === 'LoadBalancer' && old.spec.type === 'LoadBalancer';
	if (areBalanced && loadBalancerClass !== old.spec.loadBalancerClass) {
		errors.push(
			fieldInvalid(SPEC.child('loadBalancerClass'), loadBalancerClass ?? null, 'may not change once set'),
		);
	}
	// Upstream validates the class here and again with the other fields.
	errors.push(...validateClass(service.spec));
	const areChecked = needsHealthCheck(service.spec) && needsHealthCheck(old.spec);
	if (areChecked && healthCheckNodePort !== old.spec.healthCheckNodePort) {
		errors.push(fieldForbidden(SPEC.child('healthCheckNodePort'), 'field is immutable'));
	}
	return [...errors, ...validateService(service, old)];
}

/** The errors of an update of the status (upstream: `ValidateLoadBalancerStatus`). */
export function validateServiceStatus(service: Service, old: Service): readonly FieldError[] {
	const errors = [...validateMetaUpdate(service.metadata, old.metadata, META)];
	const ingress = service.status.loadBalancer?.ingress ?? [];
	const path = STATUS.child('loadBalancer', 'ingress');
	if (service.spec.type !== 'LoadBalancer') {
		if (ingress.length === 0) return errors;
		return [...errors, fieldForbidden(path, "may only be used when `spec.type` is 'LoadBalancer'")];
	}
	const known = new Set((old.status.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? []));
	for (const [index, each] of ingress.entries()) {
		errors.push(...validateIngress(each, path.index(index), known));
	}
	return errors;
}

type Ingress = NonNullable<NonNullable<Service['status']['loadBalancer']>['ingress']>[number];

function validateIngress(
	{ ip = '', ipMode, hostname = '' }: Ingress,
	path: FieldPath,
	known: ReadonlySet<string>,
): readonly FieldError[] {
	const errors: FieldError[] = [];
	const modePath = path.child('ipMode');
	if (ip !== '') errors.push(...validateIp(ip, path.child('ip'), known));
	if (ipMode === undefined) {
		if (ip !== '') errors.push(fieldRequired(modePath, 'must be specified when `ip` is set'));
	} else if (ip === '') {
		errors.push(fieldForbidden(modePath, 'may not be specified when `ip` is not set'));
	} else if (ipMode !== 'VIP' && ipMode !== 'Proxy') {
		errors.push(notSupported(modePath, ipMode, ['Proxy', 'VIP']));
	}
	if (hostname === '') return errors;
	errors.push(...malformed(path.child('hostname'), hostname, dns1123Subdomain(hostname)));
	if (parseIp(hostname)) {
		errors.push(fieldInvalid(path.child('hostname'), hostname, 'must be a DNS name, not an IP address'));
	}
	return errors;
}

function validateService(service: Service, old?: Service): readonly FieldError[] {
	const { spec } = service;
	return [
		...validateTopology(service),
		...validateType(spec),
		...validatePorts(spec),
		...validateLabels(spec.selector, SPEC.child('selector')),
		...validateAffinity(spec),
		...validateAddresses(spec, old?.spec),
		...validateExternalIps(spec, old?.spec.externalIPs),
		...chosen(SPEC.child('type'), spec.type, TYPES),
		...validateNodePorts(spec),
		...validateUniquePorts(spec.ports ?? []),
		...validateSourceRanges(service, old),
		...validateNodePortAllocation(spec),
		...validateClass(spec),
		...validateExternalTraffic(spec),
		...validateInternalTraffic(spec),
	];
}

function validateTopology({ metadata: { annotations = {} } }: Service): readonly FieldError[] {
	const mode = annotations[MODE_ANNOTATION];
	const hints = annotations[HINTS_ANNOTATION];
	if (mode === undefined || hints === undefined || mode === hints) return [];
	const text = `must match annotations[${HINTS_ANNOTATION}] when both are specified`;
	return [fieldInvalid(META.child('annotations').key(MODE_ANNOTATION), mode, text)];
}

/** The fields that a type requires or excludes. */
function validateType(spec: ServiceSpec): readonly FieldError[] {
	const errors: FieldError[] = [];
	const { type, ports = [] } = spec;
	if (ports.length === 0 && !isHeadless(spec) && type !== 'ExternalName') errors.push(fieldRequired(PORTS));
	if (hasNodePorts(spec) && isHeadless(spec)) {
		const text = `may not be set to 'None' for ${type} services`;
		errors.push(fieldInvalid(SPEC.child('clusterIPs').index(0), 'None', text));
	}
	return type === 'ExternalName' ? [...errors, ...validateExternalName(spec)] : errors;
}

function validateExternalName(spec: ServiceSpec): readonly FieldError[] {
	const errors: FieldError[] = [];
	const { clusterIPs = [], ipFamilies = [], ipFamilyPolicy, externalName = '' } = spec;
	const set = {
		clusterIPs: clusterIPs.length > 0,
		ipFamilies: ipFamilies.length > 0,
		ipFamilyPolicy: ipFamilyPolicy !== undefined,
	};
	for (const [field, isSet] of Object.entries(set)) {
		if (isSet) errors.push(fieldForbidden(SPEC.child(field), 'may not be set for ExternalName services'));
	}
	// A dot at the end is allowed, since it makes the name absolute.
	const name = externalName.replace(/\.$/, '');
	const path = SPEC.child('externalName');
	if (name === '') return [...errors, fieldRequired(path)];
	return [...errors, ...malformed(path, name, dns1123Subdomain(name))];
}

function validatePorts({ ports = [] }: ServiceSpec): readonly FieldError[] {
	const names = new Set<string>();
	return ports.flatMap((port, index) => {
		const path = PORTS.index(index);
		const errors = validatePort(port, path, { requiresName: ports.length > 1, names });
		if (port.name) names.add(port.name);
		return errors;
	});
}

function validatePort(
	{ name = '', port, protocol, targetPort = 0, appProtocol }: ServicePort,
	path: FieldPath,
	{ requiresName, names }: { readonly requiresName: boolean; readonly names: ReadonlySet<string> },
): readonly FieldError[] {
	const errors: FieldError[] = [];
	if (name !== '') {
		errors.push(...malformed(path.child('name'), name, dns1123Label(name)));
		if (names.has(name)) errors.push(duplicate(path.child('name'), name));
	} else if (requiresName) errors.push(fieldRequired(path.child('name')));
	for (const text of portNumber(port)) errors.push(fieldInvalid(path.child('port'), port, text));
	errors.push(...chosen(path.child('protocol'), protocol, PROTOCOLS));
	const problems = typeof targetPort === 'string' ? portName(targetPort) : portNumber(targetPort);
	for (const text of problems) errors.push(fieldInvalid(path.child('targetPort'), targetPort, text));
	if (appProtocol === undefined) return errors;
	return [...errors, ...malformed(path.child('appProtocol'), appProtocol, qualifiedName(appProtocol))];
}

function validateAffinity({ sessionAffinity, sessionAffinityConfig }: ServiceSpec): readonly FieldError[] {
	const errors = chosen(SPEC.child('sessionAffinity'), sessionAffinity, AFFINITIES);
	const path = SPEC.child('sessionAffinityConfig');
	if (sessionAffinity === 'None' && sessionAffinityConfig) {
		return [...errors, fieldForbidden(path, 'must not be set when session affinity is None')];
	}
	// A missing timeout has a default, so it is never missing here.
	const timeout = sessionAffinityConfig?.clientIP?.timeoutSeconds;
	if (sessionAffinity !== 'ClientIP' || timeout === undefined) return errors;
	if (timeout > 0 && timeout <= MAX_AFFINITY_SECONDS) return errors;
	const text = `must be greater than 0 and less than ${MAX_AFFINITY_SECONDS}`;
	return [...errors, fieldInvalid(path.child('clientIP', 'timeoutSeconds'), timeout, text)];
}

function validateExternalIps(
	{ externalIPs = [] }: ServiceSpec,
	before: readonly string[] = [],
): readonly FieldError[] {
	const known = new Set(before);
	return externalIPs.flatMap((address, index) => {
		const path = SPEC.child('externalIPs').index(index);
		const errors = validateIp(address, path, known);
		return errors.length > 0 ? errors : validateEndpointIp(address, path, { allowsLoopback: false });
	});
}

function validateNodePorts({ type, ports = [] }: ServiceSpec): readonly FieldError[] {
	const errors: FieldError[] = [];
	const used = new Set<string>();
	const pathOf = (index: number): FieldPath => PORTS.index(index).child('nodePort');
	for (const [index, { nodePort = 0 }] of ports.entries()) {
		if (type !== 'ClusterIP' || nodePort === 0) continue;
		errors.push(fieldForbidden(pathOf(index), "may not be used when `type` is 'ClusterIP'"));
	}
	for (const [index, { nodePort = 0, protocol }] of ports.entries()) {
		if (nodePort === 0) continue;
		const key = `${protocol ?? ''}/${nodePort}`;
		if (used.has(key)) errors.push(duplicate(pathOf(index), nodePort));
		used.add(key);
	}
	return errors;
}

function validateUniquePorts(ports: readonly ServicePort[]): readonly FieldError[] {
	const errors: FieldError[] = [];
	const used = new Set<string>();
	for (const [index, { port, protocol = '' }] of ports.entries()) {
		const key = `${protocol}/${port}`;
		// Upstream shows its internal type, whose fields have no JSON names.
		const shown = { Name: '', Protocol: protocol, AppProtocol: null, Port: port, TargetPort: 0, NodePort: 0 };
		if (used.has(key)) errors.push(duplicate(PORTS.index(index), shown));
		used.add(key);
	}
	return errors;
}

/** Ranges may have spaces around them, as they may have in the annotation that preceded the field. */
function validateSourceRanges({ spec, metadata }: Service, old: Service | undefined): readonly FieldError[] {
	const errors: FieldError[] = [];
	const { type, loadBalancerSourceRanges: ranges = [] } = spec;
	const isBalanced = type === 'LoadBalancer';
	if (ranges.length > 0) {
		// Upstream's path begins with a capital letter.
		const path = SPEC.child('LoadBalancerSourceRanges');
		if (!isBalanced) errors.push(fieldForbidden(path, ONLY_LOAD_BALANCER));
		const known = new Set((old?.spec.loadBalancerSourceRanges ?? []).map((range) => range.trim()));
		return [
			...errors,
			...ranges.flatMap((range, index) => validateIpRange(range.trim(), path.index(index), known)),
		];
	}
	const text = metadata.annotations?.[RANGES_ANNOTATION];
	if (text === undefined) return errors;
	const path = META.child('annotations').key(RANGES_ANNOTATION);
	if (!isBalanced) errors.push(fieldForbidden(path, ONLY_LOAD_BALANCER));
	if (text.trim() === '' || old?.metadata.annotations?.[RANGES_ANNOTATION] === text) return errors;
	return [...errors, ...text.split(',').flatMap((range) => validateIpRange(range.trim(), path))];
}

/** A LoadBalancer always has the field, by its default. */
function validateNodePortAllocation({
	type,
	allocateLoadBalancerNodePorts,
}: ServiceSpec): readonly FieldError[] {
	if (allocateLoadBalancerNodePorts === undefined || type === 'LoadBalancer') return [];
	return [fieldForbidden(SPEC.child('allocateLoadBalancerNodePorts'), ONLY_LOAD_BALANCER)];
}

function validateClass({ type, loadBalancerClass: name }: ServiceSpec): readonly FieldError[] {
	if (name === undefined) return [];
	const path = SPEC.child('loadBalancerClass');
	if (type !== 'LoadBalancer') return [fieldForbidden(path, ONLY_LOAD_BALANCER)];
	return malformed(path, name, qualifiedName(name));
}

function validateExternalTraffic(spec: ServiceSpec): readonly FieldError[] {
	const errors: FieldError[] = [];
	const { externalTrafficPolicy: policy = '', healthCheckNodePort: port = 0 } = spec;
	const policyPath = SPEC.child('externalTrafficPolicy');
	if (isExternallyAccessible(spec)) errors.push(...chosen(policyPath, policy, POLICIES));
	else if (policy !== '') {
		errors.push(fieldInvalid(policyPath, policy, 'may only be set for externally-accessible services'));
	}
	const portPath = SPEC.child('healthCheckNodePort');
	if (!needsHealthCheck(spec)) {
		if (port === 0) return errors;
		const text = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
		return [...errors, fieldInvalid(portPath, port, text)];
	}
	if (port === 0) return [...errors, fieldRequired(portPath)];
	return [...errors, ...portNumber(port).map((text) => fieldInvalid(portPath, port, text))];
}

/** The types that require an internalTrafficPolicy have one by default. */
function validateInternalTraffic({
	internalTrafficPolicy: policy,
	trafficDistribution: distribution,
}: ServiceSpec): readonly FieldError[] {
	const errors: FieldError[] = [];
	if (policy !== undefined && !POLICIES.includes(policy)) {
		errors.push(notSupported(SPEC.child('internalTrafficPolicy'), policy, POLICIES));
	}
	if (distribution !== undefined && !DISTRIBUTIONS.includes(distribution)) {
		errors.push(notSupported(SPEC.child('trafficDistribution'), distribution, DISTRIBUTIONS));
	}
	return errors;
}

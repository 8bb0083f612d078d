import type { Strategy, SubresourceStrategy } from '../../contract/resource-definition.ts';
import { mapShared, withoutField } from '../../schema/defaults.ts';
import { semanticEqual } from '../../schema/equality.ts';
import type { Service, ServiceSpec } from './schema.ts';
import { hasNodePorts, isExternallyAccessible, needsClusterIp, needsHealthCheck } from './service-type.ts';
import { validateServiceCreate, validateServiceStatus, validateServiceUpdate } from './validation.ts';
import { serviceWarnings } from './warnings.ts';

const NOTHING_KNOWN = { loadBalancer: {} };

/** The strategy for create and update (upstream: pkg/registry/core/service/strategy.go). */
export const serviceStrategy: Strategy<Service> = {
	prepareForCreate: (service) => ({ ...service, status: NOTHING_KNOWN }),
	prepareForUpdate: (service, old) => {
		const spec = withoutFieldsOfOldType(service.spec, old.spec);
		// A status without load balancer belongs to a type without one.
		const status = spec.type === 'LoadBalancer' ? old.status : { ...old.status, ...NOTHING_KNOWN };
		return { ...service, spec, status };
	},
	validateCreate: validateServiceCreate,
	validateUpdate: validateServiceUpdate,
	warnings: serviceWarnings,
	allowUnconditionalUpdate: true,
};

/** The strategy of the status subresource. */
export const serviceStatusStrategy: SubresourceStrategy<Service> = {
	prepareForUpdate: (service, old) => ({ ...service, spec: old.spec }),
	validateUpdate: validateServiceStatus,
};

/**
 * Clears the fields that the previous type needed and the new one excludes, if the client has not changed them: they were
 * set by the server or by defaults, so the client may not know them (upstream: `dropTypeDependentFields`).
 */
function withoutFieldsOfOldType(given: ServiceSpec, old: ServiceSpec): ServiceSpec {
	let spec = given;
	const drop = (field: OptionalSpecField): void => {
		if (semanticEqual(spec[field], old[field])) spec = withoutField(spec, field);
	};
	if (needsClusterIp(old) && !needsClusterIp(spec)) {
		const keepsAddresses =
			!semanticEqual(spec.clusterIPs, old.clusterIPs) || spec.clusterIP !== old.clusterIP;
		if (!keepsAddresses) spec = withoutField(withoutField(spec, 'clusterIP'), 'clusterIPs');
		drop('ipFamilies');
		drop('ipFamilyPolicy');
	}
	if (hasNodePorts(old) && !hasNodePorts(spec)) spec = withoutNodePorts(spec, old);
	if (needsHealthCheck(old) && !needsHealthCheck(spec)) drop('healthCheckNodePort');
	if (old.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') {
		drop('allocateLoadBalancerNodePorts');
		drop('loadBalancerClass');
	}
	if (isExternallyAccessible(old) && !isExternallyAccessible(spec)) drop('externalTrafficPolicy');
	return spec;
}

type OptionalSpecField =
	| 'ipFamilies'
	| 'ipFamilyPolicy'
	| 'healthCheckNodePort'
	| 'allocateLoadBalancerNodePorts'
	| 'loadBalancerClass'
	| 'externalTrafficPolicy';

/** Keeps node ports that `old` lacks: then the client has set them, and validation refuses them. */
function withoutNodePorts(spec: ServiceSpec, old: ServiceSpec): ServiceSpec {
	const known = new Set((old.ports ?? []).map(({ nodePort }) => nodePort));
	const ports = spec.ports ?? [];
	if (ports.some(({ nodePort }) => nodePort !== undefined && !known.has(nodePort))) return spec;
	const without = mapShared(ports, (port) => withoutField(port, 'nodePort'));
	return without === ports ? spec : { ...spec, ports: without };
}

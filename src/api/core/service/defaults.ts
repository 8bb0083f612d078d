import {
	mapShared,
	withDefaults,
	withDefaultsForZeros,
	withField,
	withoutField,
} from '../../schema/defaults.ts';
import type { Service, ServicePort, ServiceSpec } from './schema.ts';
import { isExternallyAccessible } from './service-type.ts';

const TYPE = { type: 'ClusterIP', sessionAffinity: 'None' } as const;
const TCP = { protocol: 'TCP' } as const;
const EXTERNAL = { externalTrafficPolicy: 'Cluster' } as const;
const INTERNAL = { internalTrafficPolicy: 'Cluster' } as const;
const WITH_NODE_PORTS = { allocateLoadBalancerNodePorts: true } as const;
const VIRTUAL = { ipMode: 'VIP' } as const;
const TYPES_WITH_ADDRESS: readonly (string | undefined)[] = ['ClusterIP', 'NodePort', 'LoadBalancer'];
const THREE_HOURS = { clientIP: { timeoutSeconds: 10_800 } };

/**
 * Sets the defaults of a Service (upstream: `SetDefaults_Service`). An ExternalName has no internalTrafficPolicy:
 * upstream stores one that a client sends and leaves it out of every answer (`defaultOnReadInternalTrafficPolicy`).
 */
export function defaultService(service: Service): Service {
	const withSpec = withField(service, 'spec', defaultSpec);
	if (withSpec.spec.type !== 'LoadBalancer') return withSpec;
	return withField(withSpec, 'status', (status) =>
		withField(status, 'loadBalancer', (balancer) =>
			withField(balancer, 'ingress', (ingress) =>
				mapShared(ingress, (each) => (each.ip ? withDefaults(each, VIRTUAL) : each)),
			),
		),
	);
}

function defaultSpec(given: ServiceSpec): ServiceSpec {
	let spec = withDefaultsForZeros(given, TYPE);
	if (spec.sessionAffinity === 'None') spec = withoutField(spec, 'sessionAffinityConfig');
	const timeout = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds;
	if (spec.sessionAffinity === 'ClientIP' && timeout === undefined) {
		spec = { ...spec, sessionAffinityConfig: THREE_HOURS };
	}
	spec = withField(spec, 'ports', (ports) => mapShared(ports, defaultPort));
	if (isExternallyAccessible(spec)) spec = withDefaultsForZeros(spec, EXTERNAL);
	if (TYPES_WITH_ADDRESS.includes(spec.type)) spec = withDefaults(spec, INTERNAL);
	if (spec.type === 'ExternalName') spec = withoutField(spec, 'internalTrafficPolicy');
	return spec.type === 'LoadBalancer' ? withDefaults(spec, WITH_NODE_PORTS) : spec;
}

function defaultPort(port: ServicePort): ServicePort {
	const withProtocol = withDefaultsForZeros(port, TCP);
	return withProtocol.targetPort ? withProtocol : withTarget(withProtocol);
}

/** The port with its own number as the target; the port itself if that is 0, which validation refuses. */
function withTarget(port: ServicePort): ServicePort {
	return port.targetPort === port.port ? port : { ...port, targetPort: port.port };
}

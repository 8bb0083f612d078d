import { conditionSchema } from '../../meta/conditions.ts';
import { objectMetaSchema } from '../../meta/object-meta.ts';
import {
	always,
	boolean,
	type Infer,
	int32,
	intOrString,
	list,
	map,
	mapList,
	nullable,
	object,
	omitZero,
	oneOf,
	optional,
	required,
	string,
} from '../../schema/schema.ts';

const portSchema = object('io.k8s.api.core.v1.ServicePort', 'Port of a Service.', {
	name: optional(
		string,
		'Name of the port: a DNS label, unique in the Service. Optional if the Service has only one port.',
	),
	protocol: optional(oneOf('TCP', 'UDP', 'SCTP'), 'Transport protocol of the port. Default TCP.'),
	appProtocol: nullable(
		string,
		'Application protocol of the port, as a hint: an IANA service name, or a name with a domain prefix such as kubernetes.io/h2c.',
	),
	port: required(int32, 'Number of the port at the address of the Service.'),
	targetPort: always(
		intOrString,
		"Port of the Pods: its number, or the name of a container's port. Default: the same number as port.",
	),
	nodePort: omitZero(
		int32,
		'Port of every Node that leads to the Service, for the types NodePort and LoadBalancer. Default: a free port is allocated.',
	),
});

/** Port of a Service. */
export type ServicePort = Infer<typeof portSchema>;

const specSchema = object('io.k8s.api.core.v1.ServiceSpec', 'Desired state of a Service.', {
	ports: optional(
		mapList(portSchema, ['port', 'protocol'], { mergeKey: 'port' }),
		'Ports of the Service. At least one, unless the Service is headless or an ExternalName.',
	),
	selector: optional(
		map(string),
		'Labels of the Pods that receive the traffic. Absent: something else maintains the endpoints. Ignored for ExternalName.',
	),
	clusterIP: optional(
		string,
		'Address of the Service inside of the cluster. Default: a free address is allocated. None makes the Service headless. Cannot be changed once set.',
	),
	clusterIPs: optional(
		list(string),
		'Addresses of the Service inside of the cluster, at most one of each IP family. The first one equals clusterIP.',
	),
	type: optional(
		oneOf('ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'),
		'How the Service is exposed: ClusterIP (the default): at an address inside of the cluster; NodePort: also at a port of every Node; LoadBalancer: also by an external load balancer; ExternalName: as an alias of a DNS name.',
	),
	externalIPs: optional(
		list(string),
		'Deprecated: further addresses, routed to a Node from outside, at which the Nodes accept traffic for the Service.',
	),
	sessionAffinity: optional(
		oneOf('ClientIP', 'None'),
		'Whether the connections of a client go to the same endpoint: ClientIP or None (the default).',
	),
	loadBalancerIP: optional(
		string,
		'Deprecated: address that the load balancer should have, if its provider supports that.',
	),
	loadBalancerSourceRanges: optional(
		list(string),
		'Ranges of client addresses from which the load balancer accepts traffic, if its provider supports that.',
	),
	externalName: optional(string, 'DNS name that the Service is an alias of. Required for ExternalName.'),
	externalTrafficPolicy: optional(
		oneOf('Cluster', 'Local'),
		'Endpoints for traffic from outside of the cluster: Cluster (the default): all; Local: those of the Node that received the traffic.',
	),
	healthCheckNodePort: omitZero(
		int32,
		'Port of every Node at which a load balancer finds out whether the Node has endpoints; for LoadBalancer with externalTrafficPolicy Local. Default: a free port is allocated.',
	),
	publishNotReadyAddresses: omitZero(
		boolean,
		'If true, endpoints count as ready even if their Pods are not. Default false.',
	),
	sessionAffinityConfig: optional(
		object('io.k8s.api.core.v1.SessionAffinityConfig', 'Settings of the session affinity.', {
			clientIP: optional(
				object('io.k8s.api.core.v1.ClientIPConfig', 'Settings of the session affinity ClientIP.', {
					timeoutSeconds: optional(
						int32,
						'Seconds after the last connection for which a client keeps its endpoint, from 1 to 86400. Default 10800.',
					),
				}),
				'Settings of the session affinity ClientIP.',
			),
		}),
		'Settings of the session affinity.',
	),
	ipFamilies: optional(
		list(oneOf('IPv4', 'IPv6')),
		'IP families of the Service, at most two. Default: that of the cluster.',
	),
	ipFamilyPolicy: nullable(
		oneOf('SingleStack', 'PreferDualStack', 'RequireDualStack'),
		'Number of IP families: SingleStack (the default), PreferDualStack (two if the cluster has two) or RequireDualStack.',
	),
	allocateLoadBalancerNodePorts: optional(
		boolean,
		'Whether node ports are allocated for a Service of type LoadBalancer. Default true.',
	),
	loadBalancerClass: nullable(
		string,
		'Class of the load balancer implementation, a name with an optional domain prefix. Only for LoadBalancer; cannot be changed once set.',
	),
	internalTrafficPolicy: nullable(
		oneOf('Cluster', 'Local'),
		'Endpoints for traffic from inside of the cluster: Cluster (the default): all; Local: those of the Node of the client.',
	),
	trafficDistribution: nullable(
		string,
		'Preferred endpoints: PreferSameZone (also as PreferClose, which is deprecated) or PreferSameNode. Default: all alike.',
	),
});

/** Desired state of a Service. */
export type ServiceSpec = Infer<typeof specSchema>;

const ingressSchema = object(
	'io.k8s.api.core.v1.LoadBalancerIngress',
	'Address at which a load balancer accepts traffic.',
	{
		ip: optional(string, 'IP address of the load balancer.'),
		hostname: optional(string, 'DNS name of the load balancer.'),
		ipMode: nullable(
			oneOf('VIP', 'Proxy'),
			'How traffic reaches the Nodes: VIP (the default): with the address of the load balancer as its destination; Proxy: with that of the Node or Pod.',
		),
		ports: optional(
			list(
				object('io.k8s.api.core.v1.PortStatus', 'State of a port of a load balancer.', {
					port: required(int32, 'Number of the port of the Service.'),
					protocol: required(oneOf('TCP', 'UDP', 'SCTP'), 'Transport protocol of the port.'),
					error: nullable(string, 'Problem of the port, in CamelCase or with a domain prefix.'),
				}),
			),
			'State of each port of the Service at the load balancer.',
		),
	},
);

const statusSchema = object('io.k8s.api.core.v1.ServiceStatus', 'Observed state of a Service.', {
	loadBalancer: always(
		object('io.k8s.api.core.v1.LoadBalancerStatus', 'State of the load balancer of a Service.', {
			ingress: optional(list(ingressSchema), 'Addresses at which the load balancer accepts traffic.'),
		}),
		'State of the load balancer of the Service.',
	),
	conditions: optional(mapList(conditionSchema, ['type']), 'Conditions of the Service.'),
});

/** Schema of v1.Service. */
export const serviceSchema = object(
	'io.k8s.api.core.v1.Service',
	'Name and address of a set of Pods, to which traffic is distributed.',
	{
		apiVersion: required(string, 'Version of the API: v1.'),
		kind: required(string, 'Kind of the object: Service.'),
		metadata: required(objectMetaSchema, 'Standard object metadata: name, namespace, labels, annotations.'),
		spec: required(specSchema, 'Desired state of the Service.'),
		status: required(statusSchema, 'Observed state of the Service.'),
	},
);

/** Name and address of a set of Pods, to which traffic is distributed. */
export type Service = Infer<typeof serviceSchema>;

import { objectReferenceSchema } from '../../core/pod/schema/reference.ts';
import { objectMetaSchema } from '../../meta/object-meta.ts';
import {
	always,
	atomic,
	boolean,
	type Infer,
	int32,
	list,
	map,
	nullable,
	object,
	oneOf,
	optional,
	required,
	setList,
	string,
} from '../../schema/schema.ts';

const conditionsSchema = object('io.k8s.api.discovery.v1.EndpointConditions', 'State of an endpoint.', {
	ready: optional(
		boolean,
		'Whether the endpoint receives new traffic: it serves and does not terminate, or the Service publishes addresses that are not ready. Default true.',
	),
	serving: optional(
		boolean,
		'Whether the endpoint can receive traffic, even if it terminates: its Pod is ready. Default true.',
	),
	terminating: optional(boolean, 'Whether the endpoint terminates: its Pod is being deleted. Default false.'),
});

const hintsSchema = object(
	'io.k8s.api.discovery.v1.EndpointHints',
	'Clients that an endpoint is meant for.',
	{
		forZones: optional(
			list(
				object('io.k8s.api.discovery.v1.ForZone', 'Zone of clients that an endpoint is meant for.', {
					name: required(string, 'Name of the zone.'),
				}),
			),
			'Zones whose clients should use the endpoint, at most 8.',
		),
		forNodes: optional(
			list(
				object('io.k8s.api.discovery.v1.ForNode', 'Node of clients that an endpoint is meant for.', {
					name: required(string, 'Name of the Node.'),
				}),
			),
			'Nodes whose clients should use the endpoint, at most 8.',
		),
	},
);

const endpointSchema = object('io.k8s.api.discovery.v1.Endpoint', 'One backend of a Service.', {
	addresses: required(
		setList(string),
		'Addresses of the endpoint, from 1 to 100, of which only the first one is used. Loopback addresses are those of Pods without a network of their own.',
	),
	conditions: always(conditionsSchema, 'State of the endpoint.'),
	hostname: nullable(string, 'Host name of the endpoint: a DNS label.'),
	targetRef: optional(objectReferenceSchema, 'Object that is the endpoint, such as a Pod.'),
	deprecatedTopology: optional(map(string), 'Deprecated: topology of v1beta1. Writes to it are ignored.'),
	nodeName: nullable(string, 'Node of the endpoint.'),
	zone: nullable(string, 'Zone of the endpoint.'),
	hints: optional(hintsSchema, 'Clients that the endpoint is meant for.'),
});

/** One backend of a Service. */
export type SliceEndpoint = Infer<typeof endpointSchema>;

const portSchema = atomic(
	object('io.k8s.api.discovery.v1.EndpointPort', 'Port of the endpoints of an EndpointSlice.', {
		name: nullable(string, 'Name of the port of the Service: empty or a DNS label. Default empty.'),
		protocol: nullable(oneOf('TCP', 'UDP', 'SCTP'), 'Transport protocol of the port. Default TCP.'),
		port: optional(int32, 'Number of the port of the endpoints. Absent: all ports.'),
		appProtocol: nullable(
			string,
			'Application protocol of the port, as a hint: an IANA service name, or a name with a domain prefix.',
		),
	}),
);

/** Port of the endpoints of an EndpointSlice. */
export type EndpointSlicePort = Infer<typeof portSchema>;

/** Schema of discovery.k8s.io/v1 EndpointSlice. */
export const endpointSliceSchema = object(
	'io.k8s.api.discovery.v1.EndpointSlice',
	'Part of the endpoints of the Service that the label kubernetes.io/service-name names.',
	{
		apiVersion: required(string, 'Version of the API: discovery.k8s.io/v1.'),
		kind: required(string, 'Kind of the object: EndpointSlice.'),
		metadata: required(objectMetaSchema, 'Standard object metadata: name, namespace, labels, annotations.'),
		addressType: required(
			oneOf('IPv4', 'IPv6', 'FQDN'),
			'Type of all addresses of the slice: IPv4, IPv6 or, deprecated, FQDN. Cannot be changed.',
		),
		endpoints: required(list(endpointSchema), 'Endpoints of the slice, at most 1000.'),
		ports: required(list(portSchema), 'Ports of each endpoint of the slice, with unique names.'),
	},
);

/** Part of the endpoints of a Service. */
export type EndpointSlice = Infer<typeof endpointSliceSchema>;

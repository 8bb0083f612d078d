import { objectMetaSchema } from '../../meta/object-meta.ts';
import {
	atomic,
	type Infer,
	int32,
	list,
	nullable,
	object,
	oneOf,
	optional,
	required,
	string,
} from '../../schema/schema.ts';
import { objectReferenceSchema } from '../pod/schema/reference.ts';

const addressSchema = atomic(
	object('io.k8s.api.core.v1.EndpointAddress', 'Address of one endpoint.', {
		ip: required(
			string,
			'IP address of the endpoint. Not link-local; loopback addresses are those of Pods without a network of their own.',
		),
		hostname: optional(string, 'Host name of the endpoint: a DNS label.'),
		nodeName: nullable(string, 'Node of the endpoint.'),
		targetRef: optional(objectReferenceSchema, 'Object that is the endpoint, such as a Pod.'),
	}),
);

/** Address of one endpoint. */
export type EndpointAddress = Infer<typeof addressSchema>;

const portSchema = atomic(
	object('io.k8s.api.core.v1.EndpointPort', 'Port of the endpoints of a subset.', {
		name: optional(string, 'Name of the port of the Service. Optional if there is only one port.'),
		port: required(int32, 'Number of the port of the endpoints.'),
		protocol: optional(oneOf('TCP', 'UDP', 'SCTP'), 'Transport protocol of the port. Default TCP.'),
		appProtocol: nullable(
			string,
			'Application protocol of the port, as a hint: an IANA service name, or a name with a domain prefix.',
		),
	}),
);

const subsetSchema = object(
	'io.k8s.api.core.v1.EndpointSubset',
	'Addresses with common ports: each address has each port.',
	{
		addresses: optional(list(addressSchema), 'Addresses that are ready to receive traffic.'),
		notReadyAddresses: optional(list(addressSchema), 'Addresses that are not ready to receive traffic.'),
		ports: optional(list(portSchema), 'Ports of all addresses of the subset.'),
	},
);

/** Addresses with common ports. */
export type EndpointSubset = Infer<typeof subsetSchema>;

/** Schema of v1.Endpoints. */
export const endpointsSchema = object(
	'io.k8s.api.core.v1.Endpoints',
	'Addresses and ports that implement the Service of the same name. Deprecated: use EndpointSlices.',
	{
		apiVersion: required(string, 'Version of the API: v1.'),
		kind: required(string, 'Kind of the object: Endpoints.'),
		metadata: required(objectMetaSchema, 'Standard object metadata: name, namespace, labels, annotations.'),
		subsets: optional(list(subsetSchema), 'Sets of addresses and ports. The endpoints are their union.'),
	},
);

/** Addresses and ports that implement the Service of the same name. */
export type Endpoints = Infer<typeof endpointsSchema>;

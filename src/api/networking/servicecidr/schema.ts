import { conditionSchema } from '../../meta/conditions.ts';
import { objectMetaSchema } from '../../meta/object-meta.ts';
import { type Infer, list, mapList, object, optional, required, string } from '../../schema/schema.ts';

/** Schema of networking.k8s.io/v1 ServiceCIDR. */
export const serviceCidrSchema = object(
	'io.k8s.api.networking.v1.ServiceCIDR',
	'Ranges of IP addresses from which the addresses of Services are allocated.',
	{
		apiVersion: required(string, 'Version of the API: networking.k8s.io/v1.'),
		kind: required(string, 'Kind of the object: ServiceCIDR.'),
		metadata: required(objectMetaSchema, 'Standard object metadata: name, labels, annotations.'),
		spec: required(
			object('io.k8s.api.networking.v1.ServiceCIDRSpec', 'Ranges of addresses of a ServiceCIDR.', {
				cidrs: optional(
					list(string),
					'Ranges such as 10.96.0.0/16: one, or one of IPv4 and one of IPv6. Cannot be changed, except that a second one can be added.',
				),
			}),
			'Ranges from which addresses are allocated.',
		),
		status: required(
			object('io.k8s.api.networking.v1.ServiceCIDRStatus', 'Observed state of a ServiceCIDR.', {
				conditions: optional(
					mapList(conditionSchema, ['type']),
					'Conditions of the ServiceCIDR: Ready, which is True while addresses are allocated from its ranges.',
				),
			}),
			'Observed state of the ServiceCIDR. A controller writes it.',
		),
	},
);

/** Ranges of IP addresses from which the addresses of Services are allocated. */
export type ServiceCidr = Infer<typeof serviceCidrSchema>;

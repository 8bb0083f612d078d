import { objectMetaSchema } from '../../meta/object-meta.ts';
import { type Infer, int32, microTime, object, optional, required, string } from '../../schema/schema.ts';

const leaseSpecSchema = object('io.k8s.api.coordination.v1.LeaseSpec', 'Holder and times of a Lease.', {
	holderIdentity: optional(string, 'Identity of the holder. Empty or absent: the Lease is free.'),
	leaseDurationSeconds: optional(
		int32,
		'Seconds after renewTime at which the Lease expires and others may acquire it. Must be greater than 0.',
	),
	acquireTime: optional(microTime, 'Time at which the present holder acquired the Lease.'),
	renewTime: optional(microTime, 'Time at which the present holder last renewed the Lease.'),
	leaseTransitions: optional(int32, 'Number of times that the holder changed. Must not be negative.'),
	strategy: optional(
		string,
		'Strategy of coordinated leader election. That feature is off, so the field is dropped.',
	),
	preferredHolder: optional(
		string,
		'Holder that coordinated leader election prefers. That feature is off, so the field is dropped.',
	),
});

/** Schema of coordination.k8s.io/v1 Lease. */
export const leaseSchema = object(
	'io.k8s.api.coordination.v1.Lease',
	'Lock that expires unless its holder renews it. Node agents renew one each as their heartbeat.',
	{
		apiVersion: required(string, 'Version of the API: coordination.k8s.io/v1.'),
		kind: required(string, 'Kind of the object: Lease.'),
		metadata: required(objectMetaSchema, 'Standard object metadata: name, namespace, labels, annotations.'),
		spec: required(leaseSpecSchema, 'Holder and times of the Lease.'),
	},
);

/** Lock that expires unless its holder renews it; node agents use one each as their heartbeat. */
export type Lease = Infer<typeof leaseSchema>;

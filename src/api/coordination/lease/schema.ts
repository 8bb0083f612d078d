import { objectMetaSchema } from '../../meta/object-meta.ts';
import { type Infer, int32, microTime, object, optional, required, string } from '../../meta/schema.ts';

const leaseSpecSchema = object('io.k8s.api.coordination.v1.LeaseSpec', 'Who holds a lease, and since when.', {
	holderIdentity: optional(string, 'Who holds it.'),
	leaseDurationSeconds: optional(int32, 'How long it holds after it was renewed.'),
	acquireTime: optional(microTime, 'When its holder took it.'),
	renewTime: optional(microTime, 'When its holder renewed it last.'),
	leaseTransitions: optional(int32, 'How often it has changed hands.'),
	strategy: optional(string, 'How its holder is chosen.'),
	preferredHolder: optional(string, 'To whom it should go.'),
});

/** Schema of coordination.k8s.io/v1 Lease. */
export const leaseSchema = object(
	'io.k8s.api.coordination.v1.Lease',
	'A claim that has to be renewed: the node agents show by it that they are alive.',
	{
		apiVersion: required(string, 'Version of the API: coordination.k8s.io/v1.'),
		kind: required(string, 'Kind of the object: Lease.'),
		metadata: required(objectMetaSchema, 'Names, labels, owners.'),
		spec: required(leaseSpecSchema, 'Who holds it, and since when.'),
	},
);

/** A claim that has to be renewed. */
export type Lease = Infer<typeof leaseSchema>;

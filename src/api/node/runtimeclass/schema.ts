import { tolerationSchema } from '../../core/pod/schema/affinity.ts';
import { objectMetaSchema } from '../../meta/object-meta.ts';
import { type Infer, list, map, object, optional, quantity, required, string } from '../../schema/schema.ts';

/** Schema of node.k8s.io/v1 RuntimeClass. */
export const runtimeClassSchema = object(
	'io.k8s.api.node.v1.RuntimeClass',
	'Named way to run the containers of Pods. Pods choose one by spec.runtimeClassName.',
	{
		apiVersion: required(string, 'Version of the API: node.k8s.io/v1.'),
		kind: required(string, 'Kind of the object: RuntimeClass.'),
		metadata: required(objectMetaSchema, 'Standard object metadata: name, labels, annotations.'),
		handler: required(
			string,
			'Name by which the container runtime of the nodes knows the class: a DNS label. Cannot be changed.',
		),
		overhead: optional(
			object('io.k8s.api.node.v1.Overhead', 'Resources that a Pod needs besides those of its containers.', {
				podFixed: optional(map(quantity), 'Amount of each resource that every Pod of the class needs.'),
			}),
			'Resources that each Pod of the class needs besides those of its containers.',
		),
		scheduling: optional(
			object('io.k8s.api.node.v1.Scheduling', 'Nodes that can run the Pods of a class.', {
				nodeSelector: optional(
					map(string),
					'Labels of the Nodes that support the class. Added to those of its Pods.',
				),
				tolerations: optional(list(tolerationSchema), 'Tolerations that are added to those of its Pods.'),
			}),
			'Nodes that can run the Pods of the class. Default: all Nodes.',
		),
	},
);

/** Named way to run the containers of Pods. */
export type RuntimeClass = Infer<typeof runtimeClassSchema>;

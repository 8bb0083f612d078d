import { objectMetaSchema } from '../../meta/object-meta.ts';
import {
	always,
	type Infer,
	int32,
	object,
	omitZero,
	optional,
	required,
	string,
} from '../../schema/schema.ts';

const specSchema = object('io.k8s.api.autoscaling.v1.ScaleSpec', 'Desired number of Pods of a workload.', {
	replicas: omitZero(int32, 'Number of Pods that the workload keeps. Absent: 0.'),
});

const statusSchema = object(
	'io.k8s.api.autoscaling.v1.ScaleStatus',
	'Observed number of Pods of a workload.',
	{
		replicas: required(int32, 'Number of Pods that the workload has.'),
		selector: optional(string, 'Label selector of these Pods, in the form of queries: app=web,tier!=db.'),
	},
);

/** Schema of autoscaling/v1 Scale, which clients read and write at `deployments/<name>/scale`. It is not stored. */
export const scaleSchema = object(
	'io.k8s.api.autoscaling.v1.Scale',
	'Number of Pods of a workload, in the same form for all kinds of workloads.',
	{
		apiVersion: optional(string, 'Version of the API: autoscaling/v1.'),
		kind: optional(string, 'Kind of the object: Scale.'),
		metadata: required(objectMetaSchema, 'Name, namespace, UID and resourceVersion of the workload.'),
		spec: always(specSchema, 'Desired number of Pods.'),
		status: always(statusSchema, 'Observed number of Pods; cannot be set.'),
	},
);

/** Number of Pods of a workload, in the same form for all kinds of workloads. */
export type Scale = Infer<typeof scaleSchema>;

import { isPod } from '../api/core/pod/is-pod.ts';
import type { Pod, PodCondition } from '../api/core/pod/schema.ts';
import { badRequest, conflict, invalid } from '../api/meta/api-error.ts';
import { type FieldError, FieldPath } from '../api/meta/field.ts';
import { notSupported, required as requiredError } from '../api/meta/field-errors.ts';
import { type KubeObject, objectMetaSchema } from '../api/meta/object-meta.ts';
import { type Infer, object, optional, required, string } from '../api/meta/schema.ts';
import { formatTime } from '../api/meta/time.ts';
import type { ServerContext } from './context.ts';
import { decodePosted, type PostedKind } from './decode-posted.ts';
import { checkUid, replace } from './replace.ts';
import type { ResourceRequest } from './request.ts';
import { type Result, success } from './result.ts';
import { staleObject } from './write.ts';
import { writeOptions } from './write-options.ts';

/** Schema of v1.Binding. */
export const bindingSchema = object('io.k8s.api.core.v1.Binding', 'Puts a Pod on a node.', {
	apiVersion: optional(string, 'Version of the API: v1.'),
	kind: optional(string, 'Kind of the object: Binding.'),
	metadata: required(objectMetaSchema, 'Names the Pod.'),
	target: required(
		object('io.k8s.api.core.v1.ObjectReference', 'Names an object.', {
			apiVersion: optional(string, 'Version of its API.'),
			kind: optional(string, 'Its kind.'),
			name: optional(string, 'Its name.'),
			namespace: optional(string, 'Its namespace.'),
			uid: optional(string, 'Its UID.'),
			resourceVersion: optional(string, 'Its version.'),
			fieldPath: optional(string, 'A part of it.'),
		}),
		'The node.',
	),
});

type Binding = Infer<typeof bindingSchema>;

const BINDING: PostedKind<Binding> = {
	kind: 'Binding',
	apiVersions: ['v1'],
	schema: bindingSchema,
};

/** POST to `pods/<name>/binding`: puts the Pod on a node, once and for all. */
export async function bind(server: ServerContext, request: ResourceRequest): Promise<Result> {
	const { dryRun, fieldValidation } = writeOptions(request.call.query, 'CreateOptions');
	const binding = checked(request, await decodePosted(request, BINDING, fieldValidation));
	await replace(server, request, {
		dryRun,
		strategy: {
			prepareForUpdate: (pod) => pod,
			validateUpdate: () => [],
			allowUnconditionalUpdate: true,
		},
		next: (pod) => bound(server, request, binding, pod),
	});
	return success(201);
}

function checked({ name }: ResourceRequest, binding: Binding): Binding {
	const { name: own } = binding.metadata;
	if (own && own !== name) throw badRequest('name in URL does not match name in Binding object');
	const errors = targetErrors(binding.target);
	if (errors.length > 0) throw invalid({ group: '', resource: 'Binding', name }, errors);
	return binding;
}

function targetErrors({ kind, name }: Binding['target']): readonly FieldError[] {
	const path = new FieldPath('target');
	const errors: FieldError[] = [];
	if (kind && kind !== 'Node') errors.push(notSupported(path.child('kind'), kind, ['Node', '<empty>']));
	if (!name) errors.push(requiredError(path.child('name')));
	return errors;
}

function bound(
	{ clock }: ServerContext,
	request: ResourceRequest,
	{ metadata, target }: Binding,
	pod: KubeObject,
): KubeObject {
	if (!isPod(pod)) throw badRequest('only Pods can be bound');
	const { definition, name } = request;
	checkUid(request, pod, metadata.uid);
	if (metadata.resourceVersion && metadata.resourceVersion !== pod.metadata.resourceVersion) {
		throw staleObject(definition, name);
	}
	const refusal = unbindable(pod);
	if (refusal) throw conflict({ group: '', resource: 'pods/binding', name }, refusal);
	const annotations = { ...pod.metadata.annotations, ...metadata.annotations };
	// Room was made for the Pod on some node; now that it has one, that tells nothing any more.
	const { nominatedNodeName: _, ...status } = pod.status;
	const placed: Pod = {
		...pod,
		metadata: { ...pod.metadata, ...(Object.keys(annotations).length > 0 && { annotations }) },
		spec: { ...pod.spec, nodeName: target.name ?? '' },
		status: { ...status, conditions: scheduled(pod, formatTime(clock.now())) },
	};
	return placed;
}

function unbindable({ metadata, spec }: Pod): string | undefined {
	if (metadata.deletionTimestamp)
		return `pod ${metadata.name} is being deleted, cannot be assigned to a host`;
	if (spec.nodeName) return `pod ${metadata.name} is already assigned to node "${spec.nodeName}"`;
	if (spec.schedulingGates?.length) return `pod ${metadata.name} has non-empty .spec.schedulingGates`;
	return undefined;
}

function scheduled({ metadata, status }: Pod, now: string): readonly PodCondition[] {
	const conditions = status.conditions ?? [];
	const old = conditions.find(({ type }) => type === 'PodScheduled');
	const condition: PodCondition = {
		type: 'PodScheduled',
		...(metadata.generation && { observedGeneration: metadata.generation }),
		status: 'True',
		lastProbeTime: null,
		lastTransitionTime: old?.status === 'True' ? (old.lastTransitionTime ?? now) : now,
	};
	return old ? conditions.map((other) => (other === old ? condition : other)) : [...conditions, condition];
}

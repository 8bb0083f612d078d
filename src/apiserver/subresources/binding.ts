import { isPod } from '../../api/core/pod/is-pod.ts';
import type { Pod, PodCondition } from '../../api/core/pod/schema.ts';
import { badRequest, conflict, invalid } from '../../api/errors/api-error.ts';
import { notSupported, fieldRequired as requiredError } from '../../api/errors/field-errors.ts';
import { type FieldError, FieldPath } from '../../api/errors/field-path.ts';
import { type KubeObject, objectMetaSchema } from '../../api/meta/object-meta.ts';
import { formatTime } from '../../api/meta/time.ts';
import { type Infer, object, optional, required, string } from '../../api/schema/schema.ts';
import type { ServerContext } from '../context.ts';
import type { ResourceRequest } from '../request.ts';
import { type Result, success } from '../result.ts';
import { staleObject } from '../storage/compare-and-swap.ts';
import { checkUid, updateObject } from '../verbs/update-object.ts';
import { writeOptions } from '../verbs/write-options.ts';
import { admitPosted, decodePosted, type PostedKind } from './decode-create.ts';

/** Schema of v1 Binding, which a scheduler posts to `pods/<name>/binding`. */
export const bindingSchema = object(
	'io.k8s.api.core.v1.Binding',
	'Assigns a Pod to a node. It can be created once for each Pod.',
	{
		apiVersion: optional(string, 'API version of this object: v1.'),
		kind: optional(string, 'Kind of this object: Binding.'),
		metadata: required(
			objectMetaSchema,
			'Metadata whose name and namespace identify the Pod. Annotations in it are added to the Pod.',
		),
		target: required(
			object('io.k8s.api.core.v1.ObjectReference', 'A reference to an object by kind, namespace and name.', {
				apiVersion: optional(string, 'API version of the object referred to.'),
				kind: optional(string, 'Kind of the object referred to.'),
				name: optional(string, 'Name of the object referred to.'),
				namespace: optional(string, 'Namespace of the object referred to. Empty for cluster-scoped objects.'),
				uid: optional(string, 'UID of the object referred to.'),
				resourceVersion: optional(string, 'resourceVersion of the object referred to.'),
				fieldPath: optional(string, 'Path of a field of the object, such as spec.containers{name}.'),
			}),
			'The Node that the Pod is assigned to. Its kind must be Node or empty; its name is required.',
		),
	},
);

type Binding = Infer<typeof bindingSchema>;

const BINDING: PostedKind<Binding> = {
	kind: 'Binding',
	apiVersions: ['v1'],
	schema: bindingSchema,
};

/**
 * POST to `pods/<name>/binding`: assigns the Pod to a node by setting spec.nodeName (upstream: BindingREST in
 * the registry of Pods). Throws Conflict if the Pod is already assigned, is being deleted or has scheduling
 * gates: a Pod never changes its node, since two node agents would then run its containers.
 */
export async function bind(server: ServerContext, request: ResourceRequest): Promise<Result> {
	const options = writeOptions(request.call.query, 'CreateOptions');
	const decoded = await decodePosted(request, BINDING, options.fieldValidation);
	const binding = checked(
		request,
		await admitPosted(server, request, { posted: decoded, kind: BINDING, options }),
	);
	await updateObject(server, request, {
		...{ options, isAdmitted: true },
		strategy: {
			// Only the fields that `bound` sets can change, so there is nothing to prepare or validate. The
			// strategy of Pods would reject the change of nodeName.
			prepareForUpdate: (pod) => pod,
			validateUpdate: () => [],
			// Schedulers send no resourceVersion: `bound` checks one that they do send.
			allowUnconditionalUpdate: true,
		},
		next: (pod) => bound(server, request, binding, pod),
	});
	return success(201);
}

function checked({ name }: ResourceRequest, binding: Binding): Binding {
	const { name: bodyName } = binding.metadata;
	if (bodyName && bodyName !== name) throw badRequest('name in URL does not match name in Binding object');
	const errors = targetErrors(binding.target);
	if (errors.length > 0) throw invalid({ group: '', resource: 'Binding', name }, errors);
	return binding;
}

/** Upstream: ValidatePodBinding. */
function targetErrors({ kind, name }: Binding['target']): readonly FieldError[] {
	const path = new FieldPath('target');
	const errors: FieldError[] = [];
	if (kind && kind !== 'Node') errors.push(notSupported(path.child('kind'), kind, ['Node', '<empty>']));
	if (!name) errors.push(requiredError(path.child('name')));
	return errors;
}

/**
 * The Pod after the binding. Runs again on the latest state if another writer was faster, so the checks hold
 * for the state that is written.
 */
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
	// The scheduler set nominatedNodeName when it preempted other Pods for this one. Once the Pod is assigned
	// it means nothing, and the scheduler would still count it as reserved resources on that node.
	const { nominatedNodeName: _, ...status } = pod.status;
	const placed: Pod = {
		...pod,
		metadata: { ...pod.metadata, ...(Object.keys(annotations).length > 0 && { annotations }) },
		spec: { ...pod.spec, nodeName: target.name ?? '' },
		status: { ...status, conditions: scheduled(pod, formatTime(clock.now())) },
	};
	return placed;
}

/** Why the Pod cannot be assigned, in upstream's words (BindingREST); undefined if it can. */
function unbindable({ metadata, spec }: Pod): string | undefined {
	if (metadata.deletionTimestamp)
		return `pod ${metadata.name} is being deleted, cannot be assigned to a host`;
	if (spec.nodeName) return `pod ${metadata.name} is already assigned to node "${spec.nodeName}"`;
	if (spec.schedulingGates?.length) return `pod ${metadata.name} has non-empty .spec.schedulingGates`;
	return undefined;
}

/** The conditions with PodScheduled set to True. The time of an earlier transition is kept. */
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

/**
 * The admission stage: rules that need more than the object itself, such as the user, other objects or the
 * runtime. Every request that writes passes its two phases.
 *
 * 1. Mutation: plugins return the object with fields filled in. It comes before the strategy of the kind
 *    prepares and validates, so what plugins fill in is validated too. Requests without an object (DELETE)
 *    have no mutation.
 * 2. Validation: plugins see the object that will be stored, as the last stage before it is. Nothing changes
 *    the object afterwards.
 * 3. In both phases a plugin rejects the request by throwing an ApiError (or rejecting with one).
 * 4. A plugin must be idempotent: a write is admitted again for each attempt if other writers were faster.
 * 5. A plugin may wait, for a webhook or another server. One that does not wait returns no promise, and then
 *    the request takes no turn of the microtask queue: between two pauses of a request (request.ts) no other
 *    request may start its step.
 */

import type { ResourceDefinition } from '../../api/contract/resource-definition.ts';
import type { User } from '../../api/contract/user.ts';
import type { DeleteOptions } from '../../api/meta/delete-options.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { type ResourceRequest, warn } from '../request.ts';
import type { WriteOptions } from '../verbs/write-options.ts';

/** What the request does (upstream: admission.Operation). POST to a subresource is a CREATE of what is posted. */
export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';

/** The request, as plugins see it (upstream: admission.Attributes). */
export interface AdmissionAttributes {
	readonly user: User;
	readonly operation: Operation;
	readonly definition: ResourceDefinition;
	/** Empty for the object itself. */
	readonly subresource: string;
	/** Empty for cluster-scoped resources. */
	readonly namespace: string;
	/** Empty for a CREATE whose name the server has still to generate. */
	readonly name: string;
	/** The object to store, or the Binding or Eviction that was posted; undefined for DELETE. */
	readonly object: KubeObject | undefined;
	/** The stored object; undefined for CREATE. */
	readonly old: KubeObject | undefined;
	readonly dryRun: boolean;
	/** The options of the request: DeleteOptions for DELETE, undefined for CONNECT. */
	readonly options: WriteOptions | DeleteOptions | undefined;
	/** Adds a Warning header to the response. */
	warn(text: string): void;
}

/** Attributes with an object: those that can be mutated. */
export type MutableAttributes = AdmissionAttributes & { readonly object: KubeObject };

/** One phase of a plugin. It is called for these operations only, on every resource. */
export interface AdmissionPhase<Attributes, Result> {
	readonly operations: readonly Operation[];
	admit(attributes: Attributes): Result | Promise<Result>;
}

/** A plugin takes part in one phase or in both. */
export interface AdmissionPlugin {
	/** Returns `object` itself, or a copy with fields filled in. */
	readonly mutation?: AdmissionPhase<MutableAttributes, KubeObject>;
	readonly validation?: AdmissionPhase<AdmissionAttributes, void>;
}

const OPERATIONS: readonly Operation[] = ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'];

/** Calls the plugins in order; each receives the object as the previous one returned it. */
export class Admission {
	readonly #mutations = new Map<Operation, AdmissionPhase<MutableAttributes, KubeObject>[]>();
	readonly #validations = new Map<Operation, AdmissionPhase<AdmissionAttributes, void>[]>();

	constructor(plugins: readonly AdmissionPlugin[]) {
		for (const operation of OPERATIONS) {
			const isFor = (phase: { readonly operations: readonly Operation[] }): boolean =>
				phase.operations.includes(operation);
			this.#mutations.set(
				operation,
				plugins.flatMap(({ mutation }) => (mutation && isFor(mutation) ? [mutation] : [])),
			);
			this.#validations.set(
				operation,
				plugins.flatMap(({ validation }) => (validation && isFor(validation) ? [validation] : [])),
			);
		}
	}

	/** The mutation phase: returns the object, or a promise of it if a plugin waits. */
	mutate(attributes: MutableAttributes): KubeObject | Promise<KubeObject> {
		return mutateBy(this.#mutations.get(attributes.operation) ?? [], attributes);
	}

	/** The validation phase. Undefined if no plugin waits: then the caller must not await the result (rule 5). */
	validate(attributes: AdmissionAttributes): Promise<void> | undefined {
		return validateBy(this.#validations.get(attributes.operation) ?? [], attributes);
	}

	/** Both phases, for an object that is not stored: a Binding, an Eviction. */
	async admit(attributes: MutableAttributes): Promise<KubeObject> {
		const object = await this.mutate(attributes);
		await this.validate({ ...attributes, object });
		return object;
	}
}

function mutateBy(
	phases: readonly AdmissionPhase<MutableAttributes, KubeObject>[],
	attributes: MutableAttributes,
): KubeObject | Promise<KubeObject> {
	let current = attributes;
	for (const phase of phases) {
		const object = phase.admit(current);
		if (object instanceof Promise) {
			const rest = phases.slice(phases.indexOf(phase) + 1);
			return object.then((admitted) => mutateBy(rest, { ...attributes, object: admitted }));
		}
		if (object !== current.object) current = { ...attributes, object };
	}
	return current.object;
}

function validateBy(
	phases: readonly AdmissionPhase<AdmissionAttributes, void>[],
	attributes: AdmissionAttributes,
): Promise<void> | undefined {
	for (const phase of phases) {
		const done = phase.admit(attributes);
		if (!(done instanceof Promise)) continue;
		const rest = phases.slice(phases.indexOf(phase) + 1);
		return done.then(() => validateBy(rest, attributes));
	}
	return undefined;
}

/** What the attributes of a request contain besides what the request itself says. */
export type AdmissionSubject = Pick<
	AdmissionAttributes,
	'operation' | 'object' | 'old' | 'dryRun' | 'options'
>;

/** The attributes of a request for admission; with an object they can be mutated. */
export function attributesFor<Subject extends AdmissionSubject>(
	request: ResourceRequest,
	subject: Subject,
): AdmissionAttributes & Subject {
	const { call, definition, subresource, namespace, name } = request;
	return {
		...subject,
		user: call.user,
		definition,
		subresource,
		namespace,
		name: name || (subject.object?.metadata.name ?? ''),
		warn: (text) => warn(call, text),
	};
}

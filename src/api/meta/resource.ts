import type { Int64 } from '../../base/json.ts';
import type { FieldError } from './field.ts';
import type { KubeObject } from './object-meta.ts';
import type { ObjectNode } from './schema.ts';

/**
 * All that the server, the clients and the command line need to know of a resource. A kind is added by
 * writing one of these and listing it in api/resources.ts; no other place enumerates kinds.
 * (Functions are written as methods so that a definition of Jobs is also one of objects in general.)
 */
export interface ResourceDefinition<T extends KubeObject = KubeObject> {
	readonly group: string;
	readonly version: string;
	readonly kind: string;
	/** Plural, lower case: the word in paths. */
	readonly resource: string;
	readonly singular: string;
	readonly shortNames: readonly string[];
	readonly categories: readonly string[];
	readonly namespaced: boolean;
	readonly schema: ObjectNode;
	/** Fills what a client may leave out; applied to everything decoded and to everything read. Pure. */
	defaults(object: T): T;
	readonly strategy: Strategy<T>;
	/** The status subresource, where the resource has one. */
	readonly status?: SubresourceStrategy<T>;
	readonly columns: readonly Column<T>[];
	/** The values that field selectors may name, beside metadata.name and metadata.namespace. */
	selectableFields(object: T): Readonly<Record<string, string>>;
	readonly deletion: DeletionRule<T>;
	/**
	 * Paths of fields outside of metadata and status that controllers write: they do not count towards what an
	 * object's author may write.
	 */
	readonly controllerFields?: readonly (readonly string[])[];
}

/** What create and update may change, and what they must not. All functions are pure. */
export interface Strategy<T> {
	/**
	 * Readies a decoded and defaulted object for its first write: clears what clients may not set
	 * (status), sets generation, generates selectors. name, uid, namespace and creationTimestamp are set.
	 */
	prepareForCreate(object: T): T;
	/** The same for an update: keeps of `old` what this path may not change, counts the generation. */
	prepareForUpdate(object: T, old: T): T;
	validateCreate(object: T): readonly FieldError[];
	validateUpdate(object: T, old: T): readonly FieldError[];
	/** Texts for Warning headers; `old` is undefined on create. */
	warnings?(object: T, old: T | undefined): readonly string[];
	/**
	 * Texts for Warning headers about fields that the client sets and that the two functions above drop: `given`
	 * is the object as they take it.
	 */
	droppedFields?(given: T, old: T | undefined): readonly string[];
	/** Whether PUT may leave out metadata.resourceVersion. */
	readonly allowUnconditionalUpdate: boolean;
}

/** What an update through a subresource may change. */
export interface SubresourceStrategy<T> {
	prepareForUpdate(object: T, old: T): T;
	validateUpdate(object: T, old: T): readonly FieldError[];
}

/** How the objects of a resource are deleted. */
export interface DeletionRule<T> {
	/** What becomes of dependents when a raw DELETE does not say. */
	readonly defaultPropagation: 'Background' | 'Orphan';
	/** A text for the Warning header when that default was taken. */
	readonly defaultPropagationWarning?: string;
	/**
	 * How long the object may end by itself after a DELETE that asks for `requested` seconds (undefined:
	 * did not say). 0 removes it at once. Only Pods take time.
	 */
	gracePeriodSeconds?(object: T, requested: Int64 | undefined): Int64;
}

/** A column of `kubectl get`. */
export interface Column<T> {
	readonly name: string;
	readonly type: 'string' | 'integer' | 'boolean' | 'date';
	/** `name` for the one column that holds the object's name. */
	readonly format?: 'name';
	readonly description: string;
	/** 0: always shown; 1: with `-o wide`. */
	readonly priority: 0 | 1;
	/** The cell, ready to print; `now` in milliseconds serves ages and durations. */
	cell(object: T, now: number): string | number | boolean;
}

/** Group and version as in apiVersion: `v1`, `batch/v1`. */
export function apiVersionOf(definition: { readonly group: string; readonly version: string }): string {
	return definition.group === '' ? definition.version : `${definition.group}/${definition.version}`;
}

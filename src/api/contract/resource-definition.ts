import type { Int64 } from '../../base/json/json.ts';
import type { FieldError } from '../errors/field-path.ts';
import type { KubeObject } from '../meta/object-meta.ts';
import type { ObjectNode } from '../schema/schema.ts';

/**
 * Everything that the server, the clients and the command line need to know about a resource. To add a kind,
 * write a definition and list it in api/resources.ts: no other place enumerates kinds.
 * (Functions are declared as methods, whose parameters TypeScript compares bivariantly: so a definition of
 * Jobs is assignable to one of objects in general.)
 */
export interface ResourceDefinition<T extends KubeObject = KubeObject> {
	readonly group: string;
	readonly version: string;
	readonly kind: string;
	/** The plural name in lower case, as in paths: `jobs`. */
	readonly resource: string;
	readonly singular: string;
	readonly shortNames: readonly string[];
	readonly categories: readonly string[];
	readonly namespaced: boolean;
	readonly schema: ObjectNode;
	/**
	 * Sets the defaults of fields that a client may omit. Applied to every decoded and every read object. Pure.
	 */
	defaults(object: T): T;
	readonly strategy: Strategy<T>;
	/** The strategy of the status subresource, if the resource has one. */
	readonly status?: SubresourceStrategy<T>;
	/** How the scale subresource reads and changes the number of Pods, if the resource has that subresource. */
	readonly scale?: ScaleRule<T>;
	readonly columns: readonly Column<T>[];
	/**
	 * The fields, besides metadata.name and metadata.namespace, by which field selectors can select objects.
	 */
	selectableFields(object: T): Readonly<Record<string, string>>;
	readonly deletion: DeletionRule<T>;
	/**
	 * Paths of fields outside of metadata and status that controllers write. They do not count towards the size
	 * limit for the part of an object that its author writes.
	 */
	readonly controllerFields?: readonly (readonly string[])[];
	/** The text of a Warning header in every answer about objects of a deprecated kind. */
	readonly deprecation?: string;
	/** Whether the object holds secrets: then errors do not show it. Upstream shows it in some. */
	readonly isConfidential?: true;
	/** Whether objects are never stored; see {@link virtualResource}. */
	readonly isVirtual?: true;
	/** Whether clients may only read the objects: the server computes them for each request. For virtual resources. */
	readonly isReadOnly?: true;
	/** Whether objects are stored as those of another resource, and how they are converted; see {@link viewOf}. */
	readonly view?: ResourceView<T>;
}

/**
 * Conversion between the objects of a view and those that are stored. Nothing may be lost in either direction: an
 * object that is written by one of the two resources is read by the other. Pure.
 */
export interface ResourceView<T extends KubeObject = KubeObject> {
	/** The resource whose objects are stored. It is not a view itself. */
	readonly of: ResourceDefinition;
	toStored(object: T): KubeObject;
	fromStored(stored: KubeObject): T;
}

/**
 * The rules for create and update (upstream: rest.RESTCreateStrategy, RESTUpdateStrategy). All functions are
 * pure.
 */
export interface Strategy<T> {
	/**
	 * Prepares a decoded and defaulted object for its first write: clears what clients must not set (status),
	 * sets the generation, generates selectors. The server has set name, uid, namespace and creationTimestamp.
	 */
	prepareForCreate(object: T): T;
	/**
	 * Prepares an update: restores from `old` what this endpoint must not change, and increments the
	 * generation.
	 */
	prepareForUpdate(object: T, old: T): T;
	validateCreate(object: T): readonly FieldError[];
	validateUpdate(object: T, old: T): readonly FieldError[];
	/** Texts for Warning headers; `old` is undefined on create. */
	warnings?(object: T, old: T | undefined): readonly string[];
	/**
	 * Texts for Warning headers about fields that the client set and that the two prepare functions drop.
	 * `given` is the object as it is passed to them.
	 */
	droppedFields?(given: T, old: T | undefined): readonly string[];
	/** Whether PUT may omit metadata.resourceVersion, and then overwrites any version. */
	readonly allowUnconditionalUpdate: boolean;
	/** Whether a generateName becomes the name as it is. Absent: with a random suffix. */
	readonly namesWithoutSuffix?: true;
}

/** The rules for an update through a subresource. */
export interface SubresourceStrategy<T> {
	prepareForUpdate(object: T, old: T): T;
	validateUpdate(object: T, old: T): readonly FieldError[];
}

/** How many Pods an object wants and has, and which Pods they are. */
export interface ScaleRule<T> {
	/** The desired number of Pods. */
	replicasOf(object: T): number;
	/** The number of Pods in the status. */
	observedOf(object: T): number;
	/** The label selector of the Pods, in the query language. */
	selectorOf(object: T): string;
	withReplicas(object: T, replicas: number): T;
}

/** The rules for deleting objects of a resource. */
export interface DeletionRule<T> {
	/** The propagation policy of a DELETE that names none. */
	readonly defaultPropagation: 'Background' | 'Orphan';
	/** The text of a Warning header for a DELETE that got the default. */
	readonly defaultPropagationWarning?: string;
	/**
	 * Seconds of grace after a DELETE that requests `requested` seconds; undefined if it names none. 0 deletes
	 * the object immediately, which is the default. Only Pods have a grace period.
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
	/** 0: always shown; 1: only with `-o wide`. */
	readonly priority: 0 | 1;
	/** The cell, ready to print. `now`, in milliseconds since 1970, is for ages and durations. */
	cell(object: T, now: number): string | number | boolean;
}

/** Group and version in the form of an apiVersion: `v1`, `batch/v1`. */
export function apiVersionOf(definition: { readonly group: string; readonly version: string }): string {
	return definition.group === '' ? definition.version : `${definition.group}/${definition.version}`;
}

/** Whether the object is of this kind, judged by its own kind and apiVersion. */
export function isOfKind<T extends KubeObject>(
	object: KubeObject,
	definition: ResourceDefinition<T>,
): object is T {
	return object.kind === definition.kind && object.apiVersion === apiVersionOf(definition);
}

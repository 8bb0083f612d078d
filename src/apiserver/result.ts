import type { ResourceDefinition } from '../api/contract/resource-definition.ts';
import type { Status } from '../api/errors/api-error.ts';
import type { KubeObject } from '../api/meta/object-meta.ts';
import type { ResourceCodec, StoredObject } from './storage/stored-object.ts';

/** The result of a verb; the encoding stage (respond.ts) makes the response of it. */
export type Result =
	| { readonly type: 'object'; readonly code: number; readonly stored: StoredObject }
	| ListResult
	/** Objects that were computed for the request; one if `isList` is false. */
	| {
			readonly type: 'computed';
			readonly code: number;
			readonly definition: ResourceDefinition;
			readonly items: readonly KubeObject[];
			readonly isList: boolean;
	  }
	/** An object that is not stored. */
	| { readonly type: 'value'; readonly code: number; readonly value: object }
	| { readonly type: 'status'; readonly code: number; readonly status: Status };

/** A page of a list as of `revision`. */
export interface ListResult {
	readonly type: 'list';
	readonly code: number;
	readonly codec: ResourceCodec;
	readonly revision: number;
	readonly items: readonly StoredObject[];
	/** Token for the next page; empty on the last one. */
	readonly continueToken: string;
	/** Number of objects after this page, if it is known. */
	readonly remaining: number | undefined;
}

/** The result of a request that made an object without storing it: a TokenReview, for example. */
export function valueResult(code: number, value: object): Result {
	return { type: 'value', code, value };
}

/** The metav1.Status of a successful request. */
export function success(code: number, details?: Status['details']): Result {
	const status: Status = {
		kind: 'Status',
		apiVersion: 'v1',
		metadata: {},
		status: 'Success',
		...(details && { details }),
		...(code !== 200 && { code }),
	};
	return { type: 'status', code, status };
}

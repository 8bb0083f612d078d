import type { Status } from '../api/meta/api-error.ts';
import type { ResourceCodec, StoredObject } from './stored-object.ts';

/** What a verb came to; the encode stage makes the answer of it. */
export type Result =
	| { readonly type: 'object'; readonly code: number; readonly stored: StoredObject }
	| ListResult
	| { readonly type: 'status'; readonly code: number; readonly status: Status };

/** A list as of `revision`. */
export interface ListResult {
	readonly type: 'list';
	readonly code: number;
	readonly codec: ResourceCodec;
	readonly revision: number;
	readonly items: readonly StoredObject[];
	/** Where the next page begins; empty on the last one. */
	readonly continueToken: string;
	/** How many objects come after this page, where that is known. */
	readonly remaining: number | undefined;
}

/** metav1.Status of a request that went well. */
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

import { type SelfSubjectReview, selfSubjectReviewSchema } from '../../api/authentication/reviews.ts';
import { userInfoOf } from '../../api/authentication/user-info.ts';
import { formatTime } from '../../api/meta/time.ts';
import type { ServerContext } from '../context.ts';
import type { ResourceRequest } from '../request.ts';
import { type Result, valueResult } from '../result.ts';
import { admitPosted, decodePosted, type PostedKind } from '../subresources/decode-create.ts';
import { writeOptions } from '../verbs/write-options.ts';

const REVIEW: PostedKind<SelfSubjectReview> = {
	kind: 'SelfSubjectReview',
	apiVersions: ['authentication.k8s.io/v1'],
	schema: selfSubjectReviewSchema,
};

/** POST of a SelfSubjectReview: answers with the user of the request (upstream: selfsubjectreview.REST). */
export async function reviewSelf(server: ServerContext, request: ResourceRequest): Promise<Result> {
	const options = writeOptions(request.call.query, 'CreateOptions');
	const posted = await decodePosted(request, REVIEW, options.fieldValidation);
	await admitPosted(server, request, { posted, kind: REVIEW, options });
	return valueResult(201, {
		kind: REVIEW.kind,
		apiVersion: 'authentication.k8s.io/v1',
		metadata: { creationTimestamp: formatTime(server.clock.now()) },
		status: { userInfo: userInfoOf(request.call.user) },
	});
}

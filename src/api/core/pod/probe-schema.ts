import {
	type Infer,
	int32,
	int64,
	intOrString,
	list,
	object,
	oneOf,
	optional,
	plain,
	pointer,
	required,
	string,
} from '../../meta/schema.ts';

const execActionSchema = object('io.k8s.api.core.v1.ExecAction', 'Runs a command in the container.', {
	command: optional(list(string), 'The command; no shell is involved.'),
});

const httpHeaderSchema = object('io.k8s.api.core.v1.HTTPHeader', 'A header of an HTTP request.', {
	name: required(string, 'Its name.'),
	value: required(string, 'Its value.'),
});

const httpGetActionSchema = object('io.k8s.api.core.v1.HTTPGetAction', 'Makes an HTTP request.', {
	path: optional(string, 'The path.'),
	port: required(intOrString, 'The port, by number or name.'),
	host: optional(string, "The host; the Pod's own address where it is left out."),
	scheme: optional(oneOf('HTTP', 'HTTPS'), 'HTTP where it is left out.'),
	httpHeaders: optional(list(httpHeaderSchema), 'Headers to send.'),
});

const tcpSocketActionSchema = object('io.k8s.api.core.v1.TCPSocketAction', 'Opens a connection.', {
	port: required(intOrString, 'The port, by number or name.'),
	host: optional(string, "The host; the Pod's own address where it is left out."),
});

const grpcActionSchema = object('io.k8s.api.core.v1.GRPCAction', 'Makes a gRPC health check.', {
	port: required(int32, 'The port.'),
	service: pointer(string, 'The service to ask about.'),
});

/** Schema of v1.Probe. */
export const probeSchema = object('io.k8s.api.core.v1.Probe', 'Looks regularly how a container is doing.', {
	exec: optional(execActionSchema, 'By a command.'),
	httpGet: optional(httpGetActionSchema, 'By an HTTP request.'),
	tcpSocket: optional(tcpSocketActionSchema, 'By a connection.'),
	grpc: optional(grpcActionSchema, 'By a gRPC health check.'),
	initialDelaySeconds: plain(int32, 'How long after the start it begins.'),
	timeoutSeconds: plain(int32, 'How long a look may take.'),
	periodSeconds: plain(int32, 'How often it looks.'),
	successThreshold: plain(int32, 'How many good looks in a row mean well.'),
	failureThreshold: plain(int32, 'How many bad looks in a row mean ill.'),
	terminationGracePeriodSeconds: optional(
		int64,
		'How long the container may take to end after a failed probe.',
	),
});

/** Looks regularly how a container is doing. */
export type Probe = Infer<typeof probeSchema>;

const sleepActionSchema = object('io.k8s.api.core.v1.SleepAction', 'Waits.', {
	seconds: required(int64, 'How long.'),
});

/** Schema of v1.LifecycleHandler. */
export const lifecycleHandlerSchema = object(
	'io.k8s.api.core.v1.LifecycleHandler',
	'What to do at a turn of a life.',
	{
		exec: optional(execActionSchema, 'Run a command.'),
		httpGet: optional(httpGetActionSchema, 'Make an HTTP request.'),
		tcpSocket: optional(tcpSocketActionSchema, 'Not in use.'),
		sleep: optional(sleepActionSchema, 'Wait.'),
	},
);

/** What to do at a turn of a container's life. */
export type LifecycleHandler = Infer<typeof lifecycleHandlerSchema>;

/** Schema of v1.Lifecycle. */
export const lifecycleSchema = object(
	'io.k8s.api.core.v1.Lifecycle',
	"What to do at the turns of a container's life.",
	{
		postStart: optional(lifecycleHandlerSchema, 'Right after its start.'),
		preStop: optional(lifecycleHandlerSchema, 'Before it is asked to end.'),
		stopSignal: pointer(string, 'The signal that asks it to end.'),
	},
);

/** What to do at the turns of a container's life. */
export type Lifecycle = Infer<typeof lifecycleSchema>;

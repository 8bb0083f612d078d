/** What `stint` prints without a command: what it is, and the first commands to try. */
export const FIRST_USE = `stint runs Kubernetes Jobs without a Kubernetes cluster.

  stint run -f job.yaml      run the Jobs of a manifest to their end, show their logs
  stint run hello --image=busybox --command -- echo hello
                             run a Job made from flags
  stint server               serve the Kubernetes API on this machine, for kubectl and programs
  stint get jobs             list the Jobs on a running server

All commands: stint --help
Options of a command: stint COMMAND --help
`;

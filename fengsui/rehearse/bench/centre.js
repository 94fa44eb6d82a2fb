// Somebody else's short message centre (npm smpp), as lean as it goes: answers, sends a receipt, counts.
// Argument: where the module smpp is. Prints {"port": N}, and for each line it reads its counts; ends with its input.
'use strict';
const smpp = require(process.argv[2]);
const readline = require('readline');

const monotonic = () => Number(process.hrtime.bigint()) / 1e9; // CLOCK_MONOTONIC, the clock of the other side too
const counts = { submits: 0, heard: 0, sent_back: 0, first: 0, last: 0, last_heard: 0 };
const seen = new Set();
let characters = 0;

const server = smpp.createServer({}, (session) => {
  const socket = session.socket;
  socket.setNoDelay(true); // else receipts crawl: 40 ms steps of Nagle against delayed acknowledgements
  let corked = false;
  const together = () => { // all that is said about one chunk leaves in one write
    if (corked) return;
    corked = true;
    socket.cork();
    process.nextTick(() => { corked = false; socket.uncork(); });
  };
  const bound = (pdu) => session.send(pdu.response({ system_id: 'bench' }));
  session.on('bind_transceiver', bound);
  session.on('bind_receiver', bound);
  session.on('bind_transmitter', bound);
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => { session.send(pdu.response()); session.close(); });
  session.on('error', () => undefined);
  session.on('deliver_sm_resp', (pdu) => {
    if (pdu.command_status) { counts.sent_back += 1; return; }
    counts.heard += 1;
    counts.last_heard = monotonic();
  });
  session.on('submit_sm', (pdu) => {
    together();
    counts.submits += 1;
    counts.last = monotonic();
    counts.first = counts.first || counts.last;
    seen.add(pdu.destination_addr);
    characters = Math.max(characters, pdu.short_message.message.length);
    const id = counts.submits.toString(16);
    session.send(pdu.response({ message_id: id }));
    session.deliver_sm({
      source_addr: pdu.destination_addr, destination_addr: pdu.source_addr, esm_class: 4,
      short_message: `id:${id} sub:001 dlvrd:001 submit date:2608011200 done date:2608011200 stat:DELIVRD err:000 text:`,
    });
  });
});

server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })));
const lines = readline.createInterface({ input: process.stdin });
lines.on('line', () => console.log(JSON.stringify({ ...counts, unique: seen.size, characters })));
lines.on('close', () => process.exit(0));

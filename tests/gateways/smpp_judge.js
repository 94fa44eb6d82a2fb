// A short message centre by somebody else (npm smpp), judging our client: decodes what it sends, answers, sends receipts.
// Arguments: every how many submissions to throttle (0 = never). Prints {"port": N}, and on each line "report" a report.
'use strict';
const smpp = require('../node_modules/smpp');
const readline = require('readline');

const throttleEvery = Number(process.argv[2] || 0);
const seen = { binds: 0, submits: 0, throttled: 0, heard: 0, sentBack: 0, enquiries: 0, unbinds: 0, errors: [], messages: [] };
let next = 0;

const server = smpp.createServer({}, (session) => {
  session.socket.setNoDelay(true); // else receipts crawl: 40 ms steps of Nagle against delayed acknowledgements
  session.on('error', (error) => seen.errors.push(String(error)));
  session.on('bind_transceiver', (pdu) => {
    const ok = pdu.system_id === 'fengsui' && pdu.password === 'rehearse';
    seen.binds += 1;
    session.send(pdu.response({ command_status: ok ? 0 : smpp.ESME_RINVPASWD, system_id: 'judge' }));
    if (ok) session.enquire_link();
  });
  session.on('enquire_link', (pdu) => { seen.enquiries += 1; session.send(pdu.response()); });
  session.on('unbind', (pdu) => { seen.unbinds += 1; session.send(pdu.response()); session.close(); });
  session.on('deliver_sm_resp', (pdu) => { if (pdu.command_status) seen.sentBack += 1; else seen.heard += 1; });
  session.on('submit_sm', (pdu) => {
    seen.submits += 1;
    if (throttleEvery && seen.submits % throttleEvery === 0) {
      seen.throttled += 1;
      session.send(pdu.response({ command_status: smpp.ESME_RTHROTTLED }));
      return;
    }
    const content = pdu.short_message;
    const id = (next += 1).toString(16);
    seen.messages.push({
      id, to: pdu.destination_addr, from: pdu.source_addr, text: content.message, coding: pdu.data_coding,
      udh: content.udh ? content.udh.map((part) => part.toString('hex')) : [], esm: pdu.esm_class,
      registered: pdu.registered_delivery, validity: String(pdu.validity_period), sequence: pdu.sequence_number,
    });
    session.send(pdu.response({ message_id: id }));
    session.deliver_sm({
      source_addr: pdu.destination_addr, destination_addr: pdu.source_addr, esm_class: 4,
      short_message: `id:${id} sub:001 dlvrd:001 submit date:2608011200 done date:2608011200 stat:DELIVRD err:000 text:`,
      receipted_message_id: id, message_state: 2,
    });
    if (content.message === '请回复') {
      session.deliver_sm({ source_addr: pdu.destination_addr, destination_addr: pdu.source_addr, data_coding: 8,
        short_message: { message: '收到𠮷' } });
    }
  });
});

server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })));
const lines = readline.createInterface({ input: process.stdin });
lines.on('line', () => console.log(JSON.stringify(seen)));
lines.on('close', () => process.exit(0));

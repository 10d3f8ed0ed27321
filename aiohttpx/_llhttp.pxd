from libc.stdint cimport uint8_t, uint16_t, uint64_t


cdef extern from "llhttp.h" nogil:
    ctypedef struct llhttp_t:
        void* data
        uint64_t content_length
        uint8_t http_minor
        uint16_t flags
        uint16_t status_code

    ctypedef enum llhttp_type_t:
        HTTP_RESPONSE

    ctypedef enum llhttp_errno_t:
        HPE_OK
        HPE_PAUSED

    enum:
        F_CONNECTION_KEEP_ALIVE
        F_CONNECTION_CLOSE
        F_CHUNKED
        F_CONTENT_LENGTH
        F_TRANSFER_ENCODING

    ctypedef int (*llhttp_data_cb)(llhttp_t*, const char* at, size_t length) noexcept
    ctypedef int (*llhttp_cb)(llhttp_t*) noexcept

    ctypedef struct llhttp_settings_t:
        llhttp_data_cb on_status
        llhttp_data_cb on_header_field
        llhttp_data_cb on_header_value
        llhttp_data_cb on_body
        llhttp_cb on_header_field_complete
        llhttp_cb on_header_value_complete
        llhttp_cb on_headers_complete
        llhttp_cb on_chunk_header

    void llhttp_settings_init(llhttp_settings_t* settings)
    void llhttp_init(llhttp_t* parser, llhttp_type_t type, const llhttp_settings_t* settings)
    void llhttp_reset(llhttp_t* parser)
    void llhttp_resume(llhttp_t* parser)
    void llhttp_set_lenient_spaces_after_chunk_size(llhttp_t* parser, int enabled)
    llhttp_errno_t llhttp_execute(llhttp_t* parser, const char* data, size_t length)
    const char* llhttp_get_error_pos(const llhttp_t* parser)
